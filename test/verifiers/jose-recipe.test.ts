import t from 'tap';
import { signedIn } from '../people.ts';
import { badTokens, boundToken, issuing } from './issuer.ts';
import { joseRecipe } from './jose-recipe.ts';

t.test(
  'the recipe with jose refuses a revoked token, and what else is to be refused',
  async (t) => {
    const { trust, ada, forger, now, service } = await issuing(t, 'ES256', 'issuer');
    const recipe = await joseRecipe(trust.issuer);
    for (const [name, token] of Object.entries(badTokens(forger, ada, now)))
      await t.rejects(recipe.verify(token), name);
    await t.rejects(recipe.verify(boundToken(forger)), { message: 'bound to a key' });
    const bob = await signedIn(service, 'bob@example.com');
    const eve = await signedIn(service, 'eve@example.com');
    for (const { id, access_token } of [ada, bob, eve])
      t.equal((await recipe.verify(access_token)).sub, id);
    await service.as(bob.access_token, { method: 'POST', url: '/v1/logout' });
    await service.as(eve.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
    await recipe.listen();
    await recipe.listen();
    for (const { access_token } of [bob, eve])
      await t.rejects(recipe.verify(access_token), { message: 'revoked' });
    t.equal((await recipe.verify(ada.access_token)).sub, ada.id);
    const closed = recipe.close();
    service.context.revocationLog.release();
    await closed;
    const realNow = Date.now;
    t.intercept(Date, 'now', { value: () => realNow() + 61_000 });
    await t.rejects(recipe.verify(ada.access_token), { message: 'no news of revocations' });
  },
);
