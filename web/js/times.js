// Times come in words; this keeps them true while the page stands, and puts the reader's own clock into the title.
const EVERY_MS = 30_000;
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const OLDEST_S = 7 * 86_400; // older ones stay as the server said them, and so does what is just now

export function times() {
  const language = document.documentElement.lang;
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
  const local = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  const refresh = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = exact.format(at);
      // When something will be is said as it is where the reader is.
      if (time.dataset.local !== undefined) {
        time.textContent = (endsSameDay(time, at) ? clock : local).format(at);
        continue;
      }
      const words = said(relative, (at.getTime() - Date.now()) / 1000);
      if (words && time.dataset.exact === undefined) time.textContent = words;
    }
  };
  refresh();
  setInterval(refresh, EVERY_MS);
  for (const fresh of ["htmx:load", "placed"]) document.addEventListener(fresh, refresh);
}

// What ends on the day on which it begins needs no second date.
function endsSameDay(time, at) {
  const begins = time.previousElementSibling;
  return Boolean(begins?.matches("time[data-local]")) && new Date(begins.dateTime).toDateString() === at.toDateString();
}

function said(relative, seconds) {
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  if (!step || Math.abs(seconds) > OLDEST_S) return null;
  const [unit, size] = step;
  return relative.format(Math.trunc(seconds / size), unit);
}
