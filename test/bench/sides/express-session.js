/** What people copy: Express with express-session in Redis. Answers what the session holds. */
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { serving } from './serving.ts';

const client = createClient({ url: process.env.REDIS_URL });
await client.connect();
const app = express();
app.disable('x-powered-by');
app.use(
  session({
    store: new RedisStore({ client, disableTouch: true }),
    secret: 'a secret of the bench',
    resave: false,
    saveUninitialized: false,
  }),
);
app.post('/', (request, response) => {
  request.session.user = JSON.parse(process.env.BODY);
  response.json({});
});
app.get('/', (request, response) => {
  if (request.session.user === undefined) response.sendStatus(401);
  else response.set('cache-control', 'no-store').json(request.session.user);
});
const server = app.listen(0, '127.0.0.1', () => serving(server.address().port));
