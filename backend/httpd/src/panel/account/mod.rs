//! My account: everybody's own, whatever their role.

mod app_passwords;
mod clients;
mod junk;
mod lists;
mod moving;
mod passkeys;
mod password;
mod phone;
mod profile;
mod rules;
mod second_factor;
mod sessions;

use crate::kit::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .and(profile::routes)
        .and(password::routes)
        .and(second_factor::routes)
        .and(passkeys::routes)
        .and(app_passwords::routes)
        .and(rules::routes)
        .and(junk::routes)
        .and(lists::routes)
        .and(moving::routes)
        .and(sessions::routes)
        .and(clients::routes)
        .and(phone::routes)
}
