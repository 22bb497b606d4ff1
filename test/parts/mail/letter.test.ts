import t from 'tap';
import { render } from '../../../src/parts/mail/letter.ts';

t.test('text and HTML have the same content', async (t) => {
  const { text, html } = render(
    {
      subject: 'Subject',
      paragraphs: ['What happened.', 'What to do.'],
      action: { label: 'Go there', link: 'https://app.example.com/x#token=abc' },
    },
    'Harbour & Sons',
  );
  t.equal(
    text,
    'What happened.\n\nWhat to do.\n\nGo there:\nhttps://app.example.com/x#token=abc\n\n-- \nHarbour & Sons',
  );
  t.match(html, '<p>What happened.</p>\n<p>What to do.</p>');
  t.match(html, '<a href="https://app.example.com/x#token=abc">Go there</a>');
  t.match(html, 'Harbour &amp; Sons</p>');
});

t.test('a letter without an action has no link', async (t) => {
  const { text, html } = render(
    { subject: 'Subject', paragraphs: ['That is all.'] },
    'Harbour & Sons',
  );
  t.equal(text, 'That is all.\n\n-- \nHarbour & Sons');
  t.notMatch(html, 'href');
  t.notMatch(html, 'undefined');
});

t.test('neither a letter nor the product name can inject markup', async (t) => {
  const evil = `<script src="x">&amp;'"</script>`;
  const { html } = render(
    {
      subject: 'Subject',
      paragraphs: [evil],
      action: { label: evil, link: `https://app.example.com/"><b>&x=1` },
    },
    '<script>',
  );
  t.notMatch(html, '<script');
  t.notMatch(html, '<b>');
  t.match(html, '&lt;script src=&quot;x&quot;&gt;&amp;amp;');
  t.match(html, 'href="https://app.example.com/&quot;&gt;&lt;b&gt;&amp;x=1"');
});

t.test('the HTML loads nothing remote', async (t) => {
  const { html } = render(
    {
      subject: 'Subject',
      paragraphs: ['What happened.'],
      action: { label: 'Go', link: 'https://app.example.com/x' },
    },
    'Harbour & Sons',
  );
  t.notMatch(html, /<(img|link|script|iframe|style)|src=|url\(/i);
});
