// Reads a feed from standard input as a calendar app does: by the zones that the feed itself brings.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const zones = calendar.getAllSubcomponents("vtimezone").map((one) => new ICAL.Timezone(one).tzid);
const instant = (time) => new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");
const events = calendar.getAllSubcomponents("vevent").map((one) => {
  const event = new ICAL.Event(one);
  const zone = event.startDate.zone;
  const brought = zone === ICAL.Timezone.utcTimezone || zone.component !== null;
  return {
    uid: event.uid,
    starts_at: instant(event.startDate),
    ends_at: instant(event.endDate),
    status: one.getFirstPropertyValue("status"),
    sequence: event.sequence,
    title: event.summary,
    revised_at: instant(one.getFirstPropertyValue("dtstamp")),
    brought,
  };
});
console.log(JSON.stringify({ zones, events, refresh: calendar.getFirstPropertyValue("refresh-interval").toString() }));
