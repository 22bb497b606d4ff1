import { membersOf } from './site.ts';
import { type Check, verdictOf } from './verdict.ts';

export const ready: Check = {
  group: 'Reach',
  name: 'ready',
  needs: ['live'],
  async run({ site }) {
    const answer = await site.ask('/readyz');
    const failing = Object.entries(membersOf(answer)).filter(([, state]) => state === 'failing');
    const parts = failing.map(([part]) => part).filter((part) => part !== 'status');
    const why = parts.length > 0 ? `failing: ${parts.join(', ')}` : 'the node is shutting down';
    return verdictOf(
      answer.status === 200 ? [] : [`/readyz answers ${answer.status}; ${why}`],
      'database, keys and revocations work',
      'The log of the node says why. A load balancer must send no requests to a node that is not ready.',
    );
  },
};
