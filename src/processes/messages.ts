import type { Told } from '../parts/peers.ts';
import type { Snapshot } from '../parts/worker-metrics.ts';

/** From a worker to the primary. */
export type Report =
  /** It serves requests. */
  | { type: 'ready' }
  /** It ends because of an error, and should be replaced. */
  | { type: 'failing' }
  /** For every other worker. */
  | { type: 'tell'; told: Told }
  | { type: 'metrics'; snapshot: Snapshot };

/** From the primary to a worker. */
export type Order =
  /** Take the next step out. */
  | { type: 'end' }
  | { type: 'reload-keys' }
  | { type: 'tell'; told: Told }
  /** Report the metrics. */
  | { type: 'measure' };
