/** What people copy: Express with jsonwebtoken, ES256, and the usual headers. Answers the claims. */
import express from 'express';
import jwt from 'jsonwebtoken';
import { serving } from './serving.ts';

const { PUBLIC_KEY, ISSUER, AUDIENCE } = process.env;
const app = express();
app.disable('x-powered-by');
app.use((request, response, next) => {
  try {
    request.user = jwt.verify(request.headers.authorization.slice('Bearer '.length), PUBLIC_KEY, {
      algorithms: ['ES256'],
      issuer: ISSUER,
      audience: AUDIENCE,
    });
    next();
  } catch {
    response.sendStatus(401);
  }
});
app.get('/', (request, response) => {
  response.set('cache-control', 'no-store').json(request.user);
});
const server = app.listen(0, '127.0.0.1', () => serving(server.address().port));
