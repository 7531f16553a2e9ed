# The frame around every page: rail, drawer, look, and what scripts say.
frame-skip = Skip to content
frame-menu = Menu
frame-navigation = Pages
frame-account = My account
frame-sign-out = Sign out
frame-language = Language
frame-theme = Theme
frame-theme-system = Like the system
frame-theme-light = Light
frame-theme-dark = Dark
frame-copied = Copied
frame-close = Close
frame-failed = That did not work. Check your connection and try again.
frame-undo = Undo
