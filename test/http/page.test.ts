import t from 'tap';
import { readConfig } from '../../src/config.ts';
import { mailedPage } from '../../src/http/mailed-page.ts';
import { page } from '../../src/http/page.ts';

t.test('configured names cannot inject HTML into a page', async (t) => {
  const config = { ...readConfig({}), ISSUER: `https://id.example.com/"><b>'&` };
  const mailed = mailedPage(config, {
    title: 'A & B',
    path: '/v1/login',
    body: {},
    outcome: '<i>',
  });
  t.notMatch(mailed, /<b>|<i>|example\.com\/"/);
  t.match(mailed, `https://id.example.com/&quot;&gt;&lt;b&gt;'&amp;/v1/login`);
  t.match(page({ title: 'A & B', product: '<c>', body: '' }), '<h1>A &amp; B</h1>');
  t.match(page({ title: 'A & B', product: '<c>', body: '' }), '– &lt;c&gt;</title>');
});
