import t from 'tap';
import { page } from '../../src/http/page.ts';

t.test('configured names cannot inject HTML into a page', async (t) => {
  const html = page({ title: 'A & B', product: '<c>', body: '' });
  t.match(html, '<h1>A &amp; B</h1>');
  t.match(html, '– &lt;c&gt;</title>');
});
