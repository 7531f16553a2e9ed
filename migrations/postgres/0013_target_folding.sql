-- Aliases' targets from before 0006 were folded by SQL, which knows neither quotes nor letters beyond ASCII. Empty: the store folds
-- them when it is opened.
UPDATE alias_target SET folded = '';
