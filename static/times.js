// Puts times into the reader's own time zone and language; the page has the day alone, as Box tells it.
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

for (const time of document.querySelectorAll("time[datetime]")) {
  const when = new Date(time.dateTime);
  if (!Number.isNaN(when.getTime())) {
    time.textContent = day.format(when);
    time.title = moment.format(when);
  }
}
