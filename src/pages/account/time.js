import { element } from '../element.js';

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' });
const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** In seconds, the longest first.
 *
 * @type {[Intl.RelativeTimeFormatUnit, number][]}
 */
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** @param {string} time RFC 3339 */
function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1_000;
  const unit = UNITS.find(([, length]) => seconds >= length);
  // A clock that is set wrongly may be behind that of the service.
  return unit ? AGO.format(-Math.floor(seconds / unit[1]), unit[0]) : 'just now';
}

/** `5 minutes ago`, with the exact time on demand.
 *
 * @param {string} time RFC 3339
 */
export const timeAgo = (time) =>
  element('time', { datetime: time, title: MOMENT.format(new Date(time)) }, ago(time));

/** @param {string} time RFC 3339 */
export const day = (time) => element('time', { datetime: time }, DATE.format(new Date(time)));
