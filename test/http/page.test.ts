import t from 'tap';
import { readConfig } from '../../src/config.ts';
import { mailedPage } from '../../src/http/mailed-page.ts';
import { pageOf } from '../../src/http/page.ts';

t.test('what an operator configures cannot break out of a page', async (t) => {
  const config = readConfig({ ISSUER: `https://id.example.com/"><b>'&` });
  const page = mailedPage(config, { title: 'A & B', path: '/v1/login', body: {}, outcome: '<i>' });
  t.notMatch(page, /<b>|<i>|example\.com\/"/);
  t.match(page, 'https://id.example.com/&#34;&#62;&#60;b&#62;&#39;&#38;/v1/login');
  t.match(pageOf({ title: 'A & B', body: '' }), '<h1>A &#38; B</h1>');
});
