import { membersOf } from './site.ts';
import { type Check, textsOf, verdictOf } from './verdict.ts';

export const ready: Check = {
  group: 'Reach',
  name: 'ready',
  needs: ['live'],
  async run({ site }) {
    const answer = await site.ask('/readyz');
    const { status, ...parts } = membersOf(answer);
    const failing = Object.keys(parts).filter((part) => parts[part] === 'failing');
    // Every part works, and the node is not ready.
    const isLeaving = failing.length === 0 && status === 'failing';
    const why = textsOf([
      failing.length > 0 && `; failing: ${failing.join(', ')}`,
      isLeaving && '; the node is shutting down',
    ]).join('');
    return verdictOf(
      answer.status === 200 ? [] : [`/readyz answers ${answer.status}${why}`],
      'database, keys and revocations work',
      'The log of the node says why. A load balancer must send no requests to a node that is not ready.',
    );
  },
};
