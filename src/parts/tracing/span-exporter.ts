import { randomBytes } from 'node:crypto';
import type { TraceContext } from './trace-context.ts';

/** A request that was answered; `status` is null if the client has gone before. */
interface ServedRequest {
  method: string;
  /** The pattern; undefined if no route matches. */
  route: string | undefined;
  status: number | null;
  /** Milliseconds. */
  duration: number;
  code: string | undefined;
  parent: TraceContext | undefined;
}

interface Options {
  endpoint: string;
  service: string;
  headers: Record<string, string>;
  log: { warn(message: string): void; info(message: string): void };
  /** Milliseconds between two batches. */
  every?: number;
}

/** Spans in one request to the collector. */
const BATCH = 512;
/** Spans that wait at most; more are dropped. About 2 MB. */
const MAX_WAITING = 4_096;
const EVERY = 2_000;
/** How long the collector may take (ms). */
const PATIENCE = 5_000;

const SERVER = 2;
const ERROR = 2;

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** 64-bit numbers are strings in OTLP's JSON. */
const nano = (milliseconds: number) => String(Math.round(milliseconds * 1_000_000));

function attributesOf({ method, route, status, code }: ServedRequest) {
  const isError = status === null || status >= 500;
  return [
    text('http.request.method', method),
    ...(route === undefined ? [] : [text('http.route', route)]),
    ...(status === null
      ? []
      : [{ key: 'http.response.status_code', value: { intValue: String(status) } }]),
    ...(isError ? [text('error.type', code ?? '_OTHER')] : []),
  ];
}

/** A span of OTLP's JSON. `now` in milliseconds since 1970. */
function spanOf(served: ServedRequest, traceId: string, now: number) {
  const { method, route, status, duration, parent } = served;
  return {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    ...(parent && { parentSpanId: parent.parentId }),
    name: route === undefined ? method : `${method} ${route}`,
    kind: SERVER,
    startTimeUnixNano: nano(now - duration),
    endTimeUnixNano: nano(now),
    attributes: attributesOf(served),
    status: status === null || status >= 500 ? { code: ERROR } : {},
  };
}

/**
 * Sends one span for each request to an OpenTelemetry collector (OTLP/HTTP, JSON). Requests never wait for it. If the
 * collector is away, spans are dropped, with one warning.
 */
export class SpanExporter {
  readonly #options: Options;
  readonly #resource: object;
  readonly #timer: NodeJS.Timeout;
  #waiting: object[] = [];
  #dropped = 0;
  #isAway = false;
  #sending: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#resource = {
      attributes: [
        text('service.name', options.service),
        text('service.instance.id', randomBytes(8).toString('hex')),
      ],
    };
    this.#timer = setInterval(() => this.flush(), options.every ?? EVERY);
    this.#timer.unref();
  }

  /** Returns the ID of its trace, for the log. A trace that the caller does not record is not sent. */
  add(served: ServedRequest): string {
    const { parent } = served;
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    if (parent?.isSampled === false) return traceId;
    if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
    else this.#waiting.push(spanOf(served, traceId, Date.now()));
    if (this.#waiting.length === BATCH) void this.flush();
    return traceId;
  }

  /** Sends what waits, one batch at a time, until the collector does not take one. Never rejects. */
  async flush(): Promise<void> {
    if (this.#waiting.length > 0) this.#sending ??= this.#sendAll();
    await this.#sending;
  }

  /** Sends what waits. If the collector does not take a batch, the rest is lost. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && (await this.#send(this.#waiting.splice(0, BATCH))));
    this.#sending = undefined;
  }

  /** Whether the collector took them. */
  async #send(spans: object[]): Promise<boolean> {
    const { endpoint, headers } = this.#options;
    const scopeSpans = [{ scope: { name: 'latchkey' }, spans }];
    const fault = await fetch(`${endpoint}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ resourceSpans: [{ resource: this.#resource, scopeSpans }] }),
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
    })
      .then(async (answer) => {
        await answer.body?.cancel();
        return answer.ok ? undefined : `it answered ${answer.status}`;
      })
      .catch(() => 'it does not answer');
    if (fault !== undefined) this.#dropped += spans.length;
    this.#report(fault);
    return fault === undefined;
  }

  #report(fault: string | undefined): void {
    if ((fault !== undefined) === this.#isAway) return;
    this.#isAway = fault !== undefined;
    const { log } = this.#options;
    if (fault === undefined) {
      log.info(`OTEL_EXPORTER_OTLP_ENDPOINT: takes spans again; ${this.#dropped} were dropped`);
      this.#dropped = 0;
    } else log.warn(`OTEL_EXPORTER_OTLP_ENDPOINT: ${fault}. Spans are dropped until it takes them`);
  }
}
