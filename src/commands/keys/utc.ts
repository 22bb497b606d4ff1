/** `2026-11-26 06:53:14Z` for milliseconds; `-` for a time that the key does not have. */
export const utc = (milliseconds: number): string =>
  milliseconds === 0 || milliseconds === Infinity
    ? '-'
    : new Date(milliseconds).toISOString().replace('T', ' ').replace(/\.\d+/, '');
