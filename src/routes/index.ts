import type { App } from '../app.ts';
import type { Context } from '../context.ts';
import { register } from './accounts/register.ts';
import { keySet } from './discovery/key-set.ts';
import { metadata } from './discovery/metadata.ts';
import { problemPage } from './discovery/problem-page.ts';
import { live } from './health/live.ts';
import { ready } from './health/ready.ts';
import { changePassword } from './me/change-password.ts';
import { deleteMe } from './me/delete.ts';
import { endSession } from './me/end-session.ts';
import { endSessions } from './me/end-sessions.ts';
import { listSessions } from './me/list-sessions.ts';
import { readMe } from './me/read.ts';
import { renameMe } from './me/rename.ts';
import { login } from './sessions/login.ts';
import { logout } from './sessions/logout.ts';
import { refresh } from './sessions/refresh.ts';
import { whoami } from './sessions/whoami.ts';

/** The table of contents: every endpoint, in the order of the document. */
const endpoints = [
  register,
  login,
  refresh,
  logout,
  whoami,
  readMe,
  renameMe,
  deleteMe,
  changePassword,
  listSessions,
  endSessions,
  endSession,
  keySet,
  metadata,
  problemPage,
  live,
  ready,
];

export function registerRoutes(app: App, context: Context): void {
  for (const endpoint of endpoints) endpoint(app, context);
}
