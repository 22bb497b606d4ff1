import type { Context } from '../context.ts';
import type { App } from '../http/app-type.ts';
import { basePath } from '../http/base-path.ts';
import { registerOAuth } from '../http/oauth.ts';
import { completeSignUp } from './accounts/complete-sign-up.ts';
import { confirmEmail } from './accounts/confirm-email.ts';
import { disown } from './accounts/disown.ts';
import { forgotPassword } from './accounts/forgot-password.ts';
import { register } from './accounts/register.ts';
import { resetPassword } from './accounts/reset-password.ts';
import { clientModules } from './clients/client-modules.ts';
import { hostMetadata } from './discovery/host-metadata.ts';
import { keySet } from './discovery/key-set.ts';
import { metadata } from './discovery/metadata.ts';
import { problemPage } from './discovery/problem-page.ts';
import { revocations } from './discovery/revocations.ts';
import { live } from './health/live.ts';
import { ready } from './health/ready.ts';
import { changeEmail } from './me/change-email.ts';
import { changePassword } from './me/change-password.ts';
import { deleteMe } from './me/delete.ts';
import { endSession } from './me/end-session.ts';
import { endSessions } from './me/end-sessions.ts';
import { linkWithIdToken } from './me/identities/link.ts';
import { listIdentities } from './me/identities/list.ts';
import { redirectToLink } from './me/identities/redirect.ts';
import { unlinkIdentity } from './me/identities/remove.ts';
import { listSessions } from './me/list-sessions.ts';
import { confirmTotp } from './me/mfa/confirm.ts';
import { enrolTotp } from './me/mfa/enrol.ts';
import { removeTotp } from './me/mfa/remove.ts';
import { renewRecoveryCodes } from './me/mfa/renew-recovery-codes.ts';
import { addPasskey } from './me/passkeys/add.ts';
import { listPasskeys } from './me/passkeys/list.ts';
import { newPasskeyOptions } from './me/passkeys/options.ts';
import { removePasskey } from './me/passkeys/remove.ts';
import { renamePasskey } from './me/passkeys/rename.ts';
import { readMe } from './me/read.ts';
import { renameMe } from './me/rename.ts';
import { verifyMe } from './me/verify.ts';
import { introspectToken } from './oauth/introspect.ts';
import { revokeToken } from './oauth/revoke.ts';
import { issueToken } from './oauth/token.ts';
import { accountPage } from './pages/account.ts';
import { adminPage } from './pages/admin.ts';
import { changePasswordAddress } from './pages/change-password.ts';
import { confirmEmailPage } from './pages/confirm-email.ts';
import { filesOfPages } from './pages/files.ts';
import { forgotPasswordPage } from './pages/forgot-password.ts';
import { homePage } from './pages/home.ts';
import { loginPage } from './pages/login.ts';
import { notMePage } from './pages/not-me.ts';
import { resetPasswordPage } from './pages/reset-password.ts';
import { signUpPage } from './pages/sign-up.ts';
import { createServiceAccount } from './service-accounts/create.ts';
import { deleteServiceAccount } from './service-accounts/delete.ts';
import { listServiceAccounts } from './service-accounts/list.ts';
import { renewServiceAccountSecret } from './service-accounts/renew-secret.ts';
import { answerChallenge } from './sessions/answer-challenge.ts';
import { sendMailCode } from './sessions/code/send.ts';
import { loginWithMailCode } from './sessions/code/verify.ts';
import { login } from './sessions/login.ts';
import { logout } from './sessions/logout.ts';
import { loginWithPasskey } from './sessions/passkey/login.ts';
import { passkeyOptions } from './sessions/passkey/options.ts';
import { comeBackFromProvider } from './sessions/provider/callback.ts';
import { comeBackWithForm } from './sessions/provider/callback-form.ts';
import { loginWithIdToken } from './sessions/provider/id-token.ts';
import { nonceForIdToken } from './sessions/provider/nonce.ts';
import { redirectToProvider } from './sessions/provider/redirect.ts';
import { refresh } from './sessions/refresh.ts';
import { whoami } from './sessions/whoami.ts';
import { amendUser } from './users/amend.ts';
import { deleteUser } from './users/delete.ts';
import { endUserSessions } from './users/end-sessions.ts';
import { inviteUser } from './users/invite.ts';
import { listUsers } from './users/list.ts';
import { readUser } from './users/read.ts';
import { removeUserPasskeys } from './users/remove-passkeys.ts';
import { resetUserMfa } from './users/reset-mfa.ts';
import { revokeUserTokens } from './users/revoke-tokens.ts';
import { unlinkUserIdentities } from './users/unlink-identities.ts';

/** Every endpoint, in the order of the OpenAPI document. */
const endpoints = [
  register,
  completeSignUp,
  forgotPassword,
  resetPassword,
  confirmEmail,
  disown,
  login,
  answerChallenge,
  passkeyOptions,
  loginWithPasskey,
  sendMailCode,
  loginWithMailCode,
  nonceForIdToken,
  loginWithIdToken,
  redirectToProvider,
  comeBackFromProvider,
  refresh,
  logout,
  whoami,
  readMe,
  renameMe,
  deleteMe,
  changePassword,
  changeEmail,
  verifyMe,
  enrolTotp,
  confirmTotp,
  removeTotp,
  renewRecoveryCodes,
  listPasskeys,
  newPasskeyOptions,
  addPasskey,
  renamePasskey,
  removePasskey,
  listIdentities,
  redirectToLink,
  linkWithIdToken,
  unlinkIdentity,
  listSessions,
  endSessions,
  endSession,
  listUsers,
  inviteUser,
  readUser,
  amendUser,
  deleteUser,
  endUserSessions,
  resetUserMfa,
  removeUserPasskeys,
  unlinkUserIdentities,
  revokeUserTokens,
  listServiceAccounts,
  createServiceAccount,
  renewServiceAccountSecret,
  deleteServiceAccount,
  keySet,
  metadata,
  revocations,
  problemPage,
  clientModules,
  live,
  ready,
];

/** Pages for browsers. They are not part of the OpenAPI document. */
const pageEndpoints = [
  homePage,
  loginPage,
  signUpPage,
  forgotPasswordPage,
  resetPasswordPage,
  confirmEmailPage,
  notMePage,
  accountPage,
  filesOfPages,
  adminPage,
];

/** Endpoints that follow RFC 6749: they take forms, and answer errors in its format. */
const oauthEndpoints = [issueToken, introspectToken, revokeToken, comeBackWithForm];

/** Endpoints that a standard puts at the root of the host, even if ISSUER has a path. */
const hostEndpoints = [hostMetadata, changePasswordAddress];

export function registerRoutes(app: App, context: Context): void {
  for (const endpoint of hostEndpoints) endpoint(app, context);
  app.register(
    async (scope: App) => {
      for (const endpoint of [...endpoints, ...pageEndpoints]) endpoint(scope, context);
      scope.register(async (oauth: App) => {
        registerOAuth(oauth, context);
        for (const endpoint of oauthEndpoints) endpoint(oauth, context);
      });
    },
    { prefix: basePath(context.config) },
  );
}
