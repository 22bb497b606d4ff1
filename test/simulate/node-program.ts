import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildContext } from '../../src/context.ts';

// The service with a clock that its requests set: days of refreshes take minutes.
let now = Number(process.env.NOW);
const { DATABASE_URL, SIGNING_KEYS } = process.env;
const config = readConfig({
  DATABASE_URL,
  SIGNING_KEYS,
  RATE_LIMIT: 'off',
  AUTH_RATE_LIMIT: 'off',
});
const logger = pino({ level: 'silent' });
const context = await buildContext(config, { logger, clock: () => now });
const app = await buildApp(context, { logger });
app.server.prependListener('request', ({ headers }) => {
  now = Number(headers['x-clock']);
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.(url);
// The simulation was killed.
process.once('disconnect', () => process.exit());
