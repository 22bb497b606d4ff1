import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t from 'tap';
import { withFactor } from '../authenticator.ts';
import { openChromium } from '../chromium.ts';
import { PASSWORD } from '../test-app.ts';
import { ACCOUNT_PICTURES } from './account-pictures.ts';
import { ADMIN_PICTURES } from './admin-pictures.ts';
import { smallPng } from './small-png.ts';
import { type Visited, visited } from './visitor.ts';
import { WALKS } from './walks.ts';

// A font with proportions as on most machines: Chromium's package has one.
process.env['FONTCONFIG_PATH'] = join(tmpdir(), 'fonts');

/**
 * `npm run screenshots` makes the pictures of `.github/PAGES.md` and `.github/PROVIDERS.md` from the running service;
 * `npm run screenshots -- login account` only these two.
 */
const FOLDER = '.github/pages';
const DESK = { viewport: { width: 1280, height: 720 } };
const PHONE = { viewport: { width: 390, height: 600 }, isMobile: true };

interface Picture {
  /** The name of the files. */
  name: string;
  /** Brings the page to where its picture is taken. */
  arrive(page: Page, service: Visited): Promise<void>;
}

const EMAIL = 'ada@example.com';

/** What a page reads of the token in a link, which it does not use here. */
const LINK = `#token=a.${Buffer.from(JSON.stringify({ email: EMAIL })).toString('base64url')}.c`;

const PICTURES: Picture[] = [
  { name: 'home', arrive: async (page, { url }) => void (await page.goto(url)) },
  {
    name: 'login',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/login`);
      await page.getByLabel('Email address').fill(EMAIL);
      await page.locator('#password').fill(PASSWORD);
    },
  },
  {
    name: 'login-refused',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/login`);
      await page.getByLabel('Email address').fill(EMAIL);
      await page.locator('#password').fill('correct horse');
      await page.keyboard.press('Enter');
      await page.getByText('The email address or the password is wrong.').waitFor();
    },
  },
  {
    name: 'login-second-step',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/login`);
      await page.getByLabel('Email address').fill(EMAIL);
      await page.locator('#password').fill(PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByLabel('Code', { exact: true }).fill('492039');
    },
  },
  {
    name: 'login-code',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/login`);
      await page.getByLabel('Email address').fill(EMAIL);
      await page.getByRole('button', { name: 'Sign in with a code by mail' }).click();
      await page.getByLabel('Code from the email').fill('4081 7263');
    },
  },
  {
    name: 'login-unlinked',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/login?error=provider_unlinked`);
      await page.getByText('That account is not linked').waitFor();
    },
  },
  {
    name: 'sign-up',
    arrive: async (page, { url, box, post }) => {
      const email = box.mails.length === 0 ? 'grace@example.com' : 'hopper@example.com';
      await post('/v1/register', { email });
      await page.goto(`${url}/sign-up#token=${await box.token(email)}`);
      await page.getByRole('textbox', { name: 'Name' }).fill('Grace Hopper');
    },
  },
  {
    name: 'forgot-password',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/forgot-password`);
      await page.getByLabel('Email address').fill(EMAIL);
    },
  },
  {
    name: 'reset-password',
    arrive: async (page, { url }) => {
      await page.goto(`${url}/reset-password#token=a.b.c`);
      await page.locator('#password').fill('a lantern in the rainy harbour');
      await page.getByRole('button', { name: 'Show the password' }).click();
    },
  },
  {
    name: 'confirm-email',
    arrive: async (page, { url }) => void (await page.goto(`${url}/confirm-email${LINK}`)),
  },
  {
    name: 'not-me',
    arrive: async (page, { url }) => void (await page.goto(`${url}/not-me${LINK}`)),
  },
];

/** So many phones are in one picture. */
const IN_A_ROW = 4;

const imageOf = (picture: Buffer) =>
  `<img alt="" src="data:image/png;base64,${picture.toString('base64')}">`;

const row = (pictures: Buffer[]) => `<!doctype html><style>
  body { margin: 0; padding: 24px; display: grid; grid-template-columns: repeat(${IN_A_ROW}, 1fr); gap: 16px; background: #e3e6ed; width: 912px }
  img { width: 100%; border-radius: 18px; border: 1px solid #c3c9d6; display: block }
</style>${pictures.map(imageOf).join('')}`;

const walk = (steps: Buffer[][]) => `<!doctype html><style>
  body { margin: 0; padding: 20px; display: flex; gap: 20px; background: #f4f5f8; width: max-content }
  div { width: 358px }
  img { display: block; margin-bottom: 12px; border-radius: 12px }
</style>${steps.map((pieces) => `<div>${pieces.map(imageOf).join('')}</div>`).join('')}`;

/** The names after `--`; none means all. */
const chosen = process.argv.slice(2);
const isChosen = ({ name }: { name: string }) => chosen.length === 0 || chosen.includes(name);

async function save(blank: Page, name: string, picture: Buffer): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/${name}.png`, await smallPng(blank, picture));
}

for (const { name, steps } of WALKS.filter(isChosen))
  t.test(name, async (t) => {
    const browser = await openChromium(t);
    const page = await browser.newPage();
    await page.setContent(walk(await steps(t)));
    await save(await browser.newPage(), name, await page.locator('body').screenshot());
  });

t.test('pages', async (t) => {
  const providers = ['Quayside', 'Lighthouse'].flatMap((name, at) =>
    Object.entries({
      ISSUER: `https://${name.toLowerCase()}.example.com`,
      NAME: name,
      CLIENT_ID: 'harbour',
      CLIENT_SECRET: 'not asked for',
    }).map(([variable, value]) => [`OIDC_${at + 1}_${variable}`, value]),
  );
  const env = { PRODUCT_NAME: 'Harbour', ...Object.fromEntries(providers) };
  const service = await visited(t, { env });
  await withFactor(t, service, EMAIL);
  const blank = await service.visitor();
  const onPhones: Buffer[] = [];
  const onDesk = async ({ name, arrive }: Picture) => {
    const desk = await service.visitor(DESK);
    await arrive(desk, service);
    // Behind a dialog, the page is dimmed as far as the window reaches.
    const fullPage = (await desk.locator('dialog[open]').count()) === 0;
    await save(blank, name, await desk.screenshot({ caret: 'hide', fullPage }));
  };
  // The accounts of the others would be in its list.
  for (const picture of ADMIN_PICTURES.filter(isChosen)) await onDesk(picture);
  for (const picture of [...PICTURES, ...ACCOUNT_PICTURES].filter(isChosen)) {
    await onDesk(picture);
    // The rows of phones have all of them.
    if (chosen.length > 0) continue;
    const phone = await service.visitor(PHONE);
    await picture.arrive(phone, service);
    onPhones.push(await phone.screenshot({ caret: 'hide' }));
  }
  const wall = await service.visitor({ viewport: { width: 960, height: 360 } });
  for (let first = 0; first < onPhones.length; first += IN_A_ROW) {
    await wall.setContent(row(onPhones.slice(first, first + IN_A_ROW)));
    const name = `phones-${first / IN_A_ROW + 1}`;
    await save(blank, name, await wall.screenshot({ fullPage: true }));
  }
});
