import t from 'tap';
import { traceContextOf } from '../../../src/parts/tracing/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

t.test('a valid traceparent is read, of later versions too', async (t) => {
  const read = { traceId: TRACE, parentId: PARENT };
  t.same(traceContextOf(`00-${TRACE}-${PARENT}-01`), { ...read, isSampled: true });
  t.same(traceContextOf(`00-${TRACE}-${PARENT}-00`), { ...read, isSampled: false });
  t.same(traceContextOf(`00-${TRACE}-${PARENT}-03`), { ...read, isSampled: true });
  t.same(traceContextOf(`cc-${TRACE}-${PARENT}-01-what-the-future-brings`), {
    ...read,
    isSampled: true,
  });
});

t.test('an invalid one is ignored', async (t) => {
  for (const header of [
    undefined,
    '',
    [`00-${TRACE}-${PARENT}-01`],
    TRACE,
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-0g`,
    ` 00-${TRACE}-${PARENT}-01`,
  ])
    t.equal(traceContextOf(header), undefined, String(header));
});
