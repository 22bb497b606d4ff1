import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { z } from 'zod';

const Attribute = z.strictObject({
  key: z.string(),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: z.string().regex(/^\d+$/) }),
  ]),
});

const Span = z.strictObject({
  traceId: z.string().regex(/^[\da-f]{32}$/),
  spanId: z.string().regex(/^[\da-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[\da-f]{16}$/)
    .optional(),
  name: z.string(),
  kind: z.literal(2),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string().regex(/^\d{19}$/),
  attributes: z.array(Attribute),
  status: z.strictObject({ code: z.literal(2).optional() }),
});
type Span = z.infer<typeof Span>;

/** ExportTraceServiceRequest of OTLP 1.x in its JSON encoding, as far as we use it. */
const Request = z.strictObject({
  resourceSpans: z.tuple([
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(Attribute) }),
      scopeSpans: z.tuple([
        z.strictObject({
          scope: z.strictObject({ name: z.string() }),
          spans: z.array(Span).min(1),
        }),
      ]),
    }),
  ]),
});

export const attributesOf = ({ attributes }: Pick<Span, 'attributes'>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A collector, as far as one for traces goes. `status`: what it answers; undefined is no answer. `asked`: requests so far. */
export async function collector(t: Test) {
  const spans: Span[] = [];
  const batches: number[] = [];
  const state = { status: 200 as number | undefined, asked: 0 };
  const headers: IncomingHttpHeaders[] = [];
  const resources: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    state.asked += 1;
    const body = await text(request);
    if (state.status === undefined) return;
    response.statusCode = state.status;
    if (state.status === 200) {
      t.equal(`${request.method} ${request.url}`, 'POST /otlp/v1/traces');
      t.equal(request.headers['content-type'], 'application/json');
      const [{ resource, scopeSpans }] = Request.parse(JSON.parse(body)).resourceSpans;
      resources.push(attributesOf(resource));
      spans.push(...scopeSpans[0].spans);
      batches.push(scopeSpans[0].spans.length);
      headers.push(request.headers);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}/otlp`, spans, batches, headers, resources, state };
}
