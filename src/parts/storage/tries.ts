import { setTimeout as sleep } from 'node:timers/promises';

/** How often a write that loses its race is tried. */
export const TRIES = 30;

/** The pause before the next try. It grows with each lost race, and is random so that rivals do not collide again. */
export const backOff = (round: number) => sleep(Math.random() * Math.min(50, 2 ** round));
