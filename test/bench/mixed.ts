import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/** What a client sent, and whether it may be refused. */
interface Step {
  method?: string;
  path: string;
  body?: object;
  token?: string;
  expected: number;
}

/** Of 1,000 requests: what applications do all day. The rest is `whoami`. */
const SHARES = { signUp: 5, signIn: 15, refresh: 80, refusal: 60 };

/** As many as a browser's connections to a busy node. */
const CLIENTS = 32;

const PASSWORD = 'correct horse battery staple';

interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** Clients that sign up, sign in, refresh, ask who they are, and are refused. */
export class MixedLoad {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  /** The database may have the people of an earlier load. */
  readonly #name = randomUUID();
  #sent = 0;
  #people = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends requests until `isOver` says so; it is given their number. */
  async run(isOver: (sent: number) => boolean): Promise<void> {
    const before = this.#sent;
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        let person = await this.#signUp();
        while (!isOver(this.#sent - before)) person = await this.#step(person);
      }),
    );
  }

  stop(): void {
    this.#agent.destroy();
  }

  /** The shares are spread evenly, by the golden ratio. */
  async #step(person: Person): Promise<Person> {
    const at = ((this.#sent * 0.618_033_988_7) % 1) * 1_000;
    const { signUp, signIn, refresh, refusal } = SHARES;
    if (at < signUp) return this.#signUp();
    if (at < signUp + signIn) return this.#signIn(person.email);
    if (at < signUp + signIn + refresh) {
      const body = { refresh_token: person.refresh_token };
      return { ...person, ...(await this.#send({ path: '/v1/refresh', body, expected: 200 })) };
    }
    if (at < signUp + signIn + refresh + refusal)
      await this.#send(REFUSALS[this.#sent % 3] as Step);
    else await this.#send({ path: '/v1/whoami', token: person.access_token, expected: 200 });
    return person;
  }

  async #signUp(): Promise<Person> {
    this.#people += 1;
    const email = `${this.#people}.${this.#name}@example.com`;
    const body = { email, password: `${PASSWORD} ${this.#people}` };
    return { email, ...(await this.#send({ path: '/v1/register', body, expected: 201 })) };
  }

  async #signIn(email: string): Promise<Person> {
    const body = { email, password: `${PASSWORD} ${Number.parseInt(email, 10)}` };
    return { email, ...(await this.#send({ path: '/v1/login', body, expected: 200 })) };
  }

  #send({ path, body, token, expected }: Step): Promise<Tokens> {
    this.#sent += 1;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          port: this.#port,
          agent: this.#agent,
          path,
          method: body ? 'POST' : 'GET',
          headers: {
            host: 'auth.example.com',
            'x-forwarded-proto': 'https',
            ...(body && { 'content-type': 'application/json' }),
            ...(token && { authorization: `Bearer ${token}` }),
          },
        },
        async (answer) => {
          const text = Buffer.concat(await answer.toArray()).toString();
          if (answer.statusCode === expected) resolve(JSON.parse(text));
          else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
        },
      );
      sent.on('error', reject);
      sent.end(body && JSON.stringify(body));
    });
  }
}

type Person = Tokens & { email: string };

const REFUSALS: Step[] = [
  { path: '/v1/whoami', token: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA', expected: 401 },
  { path: '/v1/elsewhere', expected: 404 },
  { path: '/v1/login', body: { email: 'nobody' }, expected: 422 },
];
