# The settings' pages.
settings-page-lead = What this house is told. A change is in force at once, and can be undone under Activity.
settings-page-search = Search settings
settings-page-find = Search
settings-page-on = on
settings-page-off = off
settings-page-nothing = nothing
settings-page-unit = unit
settings-page-unit-octets = bytes
settings-page-unit-kib = KiB
settings-page-unit-mib = MiB
settings-page-unit-gib = GiB
settings-page-unit-s = seconds
settings-page-unit-min = minutes
settings-page-unit-h = hours
settings-page-unit-d = days
settings-page-unit-recipients = recipients
settings-page-unit-messages = messages
settings-page-unit-characters = characters
settings-page-unit-requests = requests
settings-page-unit-log-ins = log-ins
settings-page-unit-connections = connections
settings-page-unit-faults = faults
settings-page-default = Default:
settings-page-is-default = This is the default.
settings-page-reset = Reset
settings-page-changed = Changed
settings-page-was-reset = “{ $title }” is back to its default.
settings-page-unchanged = Nothing was different from what is in force.
settings-page-saved = { $count ->
    [one] Saved: 1 setting has changed.
   *[other] Saved: { $count } settings have changed.
}
settings-page-none = No such setting
settings-page-none-why = Search for another word, or look through the sections.
settings-page-all = All settings
settings-page-found = Settings that were found
settings-page-setting = Setting
settings-page-section = Section
settings-page-value = Value
