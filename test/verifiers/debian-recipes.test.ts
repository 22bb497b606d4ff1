import t from 'tap';
import { encode, segmentsOf } from '../attacks/forger.ts';
import { asList, guarded, LIST } from '../clients/guarded.ts';
import { folder } from '../databases.ts';
import { signedIn } from '../people.ts';
import { isInstalled } from './debian-libraries.ts';
import { build, debianRecipes, start } from './debian-recipes.ts';
import { badTokens, boundToken } from './issuer.ts';

for (const recipe of debianRecipes) {
  t.test(`the recipe ${recipe.file} refuses a revoked token, and no other`, async (t) => {
    const { library, file } = recipe;
    if (!(await isInstalled(library))) {
      t.comment(`NOT RUN: ${library.row} is not installed here, so ${file} was not tried`);
      return;
    }
    // First, because a list is valid for a minute.
    const cwd = folder(t);
    build(recipe, cwd);
    const { node, network, ada, forger, list, instead } = await guarded(t);
    const bob = await signedIn(node, 'bob@example.com');
    const eve = await signedIn(node, 'eve@example.com');
    const place = { cwd, issuer: network.origin };
    const { listen, verify, stop } = start(recipe, place);
    t.teardown(stop);
    const open = start(recipe, { ...place, whenAway: 'open' });
    t.teardown(open.stop);

    const seconds = Math.floor(node.clock.now / 1_000);
    const unheard = { 'no list': 'no list', 'an old list': list({ iat: seconds - 61 }) };
    for (const [name, document] of Object.entries(unheard)) {
      instead(LIST, asList(document));
      t.match(await listen(), name === 'no list' ? /^refused \w/ : 'heard', name);
      t.equal(await verify(ada.access_token), 'refused no news of revocations', name);
      t.equal(await open.verify(ada.access_token), `sub ${ada.id}`, `${name}, by choice`);
    }
    instead(LIST, undefined);

    t.equal(await listen(), 'heard', 'the whole list');
    for (const { id, access_token } of [ada, bob, eve])
      t.equal(await verify(access_token), `sub ${id}`);
    const now = Math.floor(node.clock.now / 1_000);
    for (const [name, token] of Object.entries(badTokens(forger, ada, now)))
      t.match(await verify(token), /^refused \w/, name);
    t.equal(await verify(boundToken(forger)), 'refused bound to a key');
    t.match(await verify(list()), /^refused \w/, 'a list is no access token');

    const aboutAda = { sessions: [forger.claims['sid']], users: { [ada.id]: 9 } };
    const [header, , signature] = segmentsOf(list());
    const forged = {
      'other claims under the signature': `${header}.${segmentsOf(list(aboutAda))[1]}.${signature}`,
      'no signature': `${encode({ ...forger.header, alg: 'none' })}.${segmentsOf(list(aboutAda))[1]}.`,
      'an access token': list(aboutAda, { typ: 'at+jwt' }),
      'for another audience': list({ ...aboutAda, aud: network.origin }),
      'of another issuer': list({ ...aboutAda, iss: 'https://other.example.com' }),
      expired: list({ ...aboutAda, iat: now - 120, exp: now - 60 }),
      'without an end': list({ ...aboutAda, exp: undefined }),
      'a part for another cursor': list({ ...aboutAda, since: 'another' }),
    };
    for (const [name, document] of Object.entries(forged)) {
      instead(LIST, asList(document));
      t.match(await listen(), /^refused \w/, name);
      t.equal(await verify(ada.access_token), `sub ${ada.id}`, `${name}: nothing was learned`);
    }
    instead(LIST, { status: 503, body: '' });
    t.match(await listen(), /^refused \w/, 'the issuer is away');
    instead(LIST, undefined);

    await node.as(bob.access_token, { method: 'POST', url: '/v1/logout' });
    await node.as(eve.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
    t.equal(await listen(), 'heard', 'what came later');
    for (const { access_token } of [bob, eve])
      t.equal(await verify(access_token), 'refused revoked');
    t.equal(await verify(ada.access_token), `sub ${ada.id}`);

    for (const ver of [9, 0]) {
      instead(LIST, asList(list({ users: { [ada.id]: ver } })));
      t.equal(await listen(), 'heard');
      t.equal(await verify(ada.access_token), 'refused revoked', 'a lower number changes nothing');
    }
  });
}
