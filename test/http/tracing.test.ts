import t from 'tap';
import { attributesOf, collector } from '../parts/tracing/collector.ts';
import { testApp } from '../test-app.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const traceparent = (flags: string) => `00-${TRACE}-${PARENT}-${flags}`;

const requestsIn = (logs: Record<string, unknown>[]) => logs.filter(({ msg }) => msg === 'request');

t.test('the log line has the trace of the caller, if its header is valid', async (t) => {
  const { app, logs } = await testApp(t);
  for (const header of [traceparent('01'), traceparent('00'), 'CANARY', undefined])
    await app.inject({ url: '/livez', headers: { ...(header && { traceparent: header }) } });
  t.same(
    requestsIn(logs).map(({ trace_id }) => trace_id),
    [TRACE, TRACE, undefined, undefined],
  );
  t.notMatch(JSON.stringify(logs), 'CANARY');
});

t.test(
  'each request is a span with route, status and duration, in the trace of the caller',
  async (t) => {
    const to = await collector(t);
    const { app, logs, context } = await testApp(t, {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization = Bearer%20s3cret, x-team=auth',
        OTEL_SERVICE_NAME: 'sign-in',
      },
    });
    await app.inject({ url: '/livez?token=CANARY', headers: { traceparent: traceparent('01') } });
    await app.inject({ url: '/CANARY' });
    await app.inject({ url: '/v1/whoami' });
    await app.inject({ url: '/livez', headers: { traceparent: traceparent('00') } });
    await context.spans?.flush();
    t.equal(to.spans.length, 3, 'a trace that the caller does not record is not sent');
    const [live, none, whoami] = to.spans as [
      (typeof to.spans)[0],
      (typeof to.spans)[0],
      (typeof to.spans)[0],
    ];
    t.match(live, { name: 'GET /livez', traceId: TRACE, parentSpanId: PARENT, status: {} });
    t.same(attributesOf(live), {
      'http.request.method': 'GET',
      'http.route': '/livez',
      'http.response.status_code': '200',
    });
    t.ok(BigInt(live.endTimeUnixNano) >= BigInt(live.startTimeUnixNano));
    t.equal(none.name, 'GET', 'no path of a client');
    t.equal(none.parentSpanId, undefined);
    t.equal(attributesOf(whoami)['http.response.status_code'], '401');
    t.same(
      requestsIn(logs).map(({ trace_id }) => trace_id),
      [...to.spans.map(({ traceId }) => traceId), TRACE],
    );
    t.match(to.resources[0], { 'service.name': 'sign-in' });
    t.match(to.headers[0], { authorization: 'Bearer s3cret', 'x-team': 'auth' });
    t.notMatch(JSON.stringify(to.spans), 'CANARY');
    t.notMatch(JSON.stringify(logs), 's3cret');
  },
);

t.test('a fault is a span with an error', async (t) => {
  const to = await collector(t);
  const { signUp, refresh, context } = await testApp(t, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint },
  });
  const { refresh_token } = await signUp();
  await context.close();
  t.equal((await refresh(refresh_token)).statusCode, 503);
  await context.spans?.flush();
  const last = to.spans.at(-1);
  t.same(last?.status, { code: 2 });
  t.equal(last && attributesOf(last)['error.type'], 'unavailable');
});
