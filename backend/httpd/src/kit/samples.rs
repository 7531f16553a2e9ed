//! Pages are drawn with sample content: in each language, for each role, without a sentence that no catalogue has.

use askama::Template;
use relais_service::Role;
use relais_words::Language;

use super::Frame;

/// Draws the samples of a page. A frame of a test panics at a sentence that its catalogue lacks.
pub(crate) fn draw<P: Template>(samples: impl Fn(Frame) -> Vec<P>) {
    for language in Language::ALL {
        for role in Role::ALL {
            for page in samples(Frame::sample(language, role)) {
                let html = page.render().unwrap();
                assert!(!html.contains("{$"), "a gap stays open: {html}");
                assert!(html.contains("<title>"), "the page has no title: {html}");
            }
        }
    }
}
