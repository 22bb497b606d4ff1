import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import t from 'tap';
import { render } from '../../../src/parts/mail/letter.ts';
import { openMail } from '../../../src/parts/mail/transport.ts';
import { folder } from '../../databases.ts';
import { freePort } from '../../free-port.ts';
import { mailbox } from '../../mailbox.ts';

const SENDER = { from: 'Latchkey <no-reply@example.com>', product: 'Latchkey' };
const letter = {
  subject: 'Zoë, choose a new password',
  paragraphs: ['It is “you”.', 'Do nothing & wait.'],
  action: { label: 'Go', link: 'https://app.example.com/reset#token=a.b.c' },
};

t.test('one mail arrives, as text and HTML, from the configured sender', async (t) => {
  const box = await mailbox(t);
  const transport = openMail(box.url, SENDER);
  await transport.send('ada@example.com', letter);
  transport.close();
  const [received] = await box.arrived(1);
  t.same(received?.recipients, ['ada@example.com']);
  t.equal(received?.from, 'no-reply@example.com');
  const mail = received?.mail;
  t.equal(mail?.subject, letter.subject);
  t.match(mail?.from?.value, [{ name: 'Latchkey', address: 'no-reply@example.com' }]);
  t.equal(mail?.text?.trimEnd(), render(letter, 'Latchkey').text.trimEnd());
  t.equal(mail?.html, render(letter, 'Latchkey').html);
  t.equal(mail?.headers.get('auto-submitted'), 'auto-generated', 'no out-of-office answers');
  t.equal(mail?.attachments.length, 0);
});

t.test('EML-11 an address cannot add a header, a recipient or a line', async (t) => {
  const box = await mailbox(t);
  const transport = openMail(box.url, SENDER);
  const attacks = [
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com\nSubject: owned',
    'ada@example.com,eve@example.com',
    'ada@example.com, Eve <eve@example.com>',
    'ada@example.com>\r\nRCPT TO:<eve@example.com',
    'eve@example.com <ada@example.com>',
    'ada@example.com\r\n\r\nA body',
  ];
  for (const attack of attacks) {
    await transport.send(attack, letter).catch(() => {});
  }
  await transport.send('ada@example.com', { ...letter, subject: 'Last\r\nBcc: eve@example.com' });
  transport.close();
  await box.settled();
  for (const { recipients, mail, raw } of box.mails) {
    t.ok(recipients.length <= 1, recipients.join());
    t.notOk(recipients.includes('eve@example.com'), recipients.join());
    const [head = ''] = raw.split('\r\n\r\n', 1);
    t.notMatch(head, /^(b?cc|x-.*):/im);
    t.equal(head.match(/^subject:/gim)?.length, 1);
    t.notMatch(mail.subject, /^owned/);
    t.match(mail.text, /Do nothing & wait/);
  }
  t.ok(box.mails.length > 0);
});

t.test('in a folder each mail is a file that only its owner can read', async (t) => {
  const path = join(folder(t), 'not', 'there', 'yet');
  const transport = openMail(`file:${path}`, SENDER);
  await Promise.all([
    transport.send('ada@example.com', letter),
    transport.send('eve@example.com', letter),
  ]);
  transport.close();
  const files = readdirSync(path);
  t.equal(files.length, 2);
  const mails = await Promise.all(
    files.map((file) => simpleParser(readFileSync(join(path, file)))),
  );
  t.same(
    mails.flatMap(({ to }) => (to === undefined ? [] : [to].flat().map(({ text }) => text))).sort(),
    ['ada@example.com', 'eve@example.com'],
  );
  for (const { subject, text } of mails) {
    t.equal(subject, letter.subject);
    t.match(text, letter.action.link);
  }
  for (const file of files) {
    t.match(file, /^[\w.-]+\.eml$/);
    t.equal(statSync(join(path, file)).mode & 0o777, 0o600);
  }
});

t.test('it rejects if the server refuses, hangs up or is unreachable', async (t) => {
  const refusing = await mailbox(t, {
    onRcptTo: (_address, _session, done) => done(new Error('no such mailbox')),
  });
  const toRefusing = openMail(refusing.url, SENDER);
  await t.rejects(toRefusing.send('ada@example.com', letter));
  toRefusing.close();

  const sockets: Socket[] = [];
  const rude = createServer((socket) => sockets.push(socket.on('error', () => {}).destroy()));
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
  t.teardown(() => rude.close());
  const { port } = rude.address() as { port: number };
  for (const gone of [port, await freePort()]) {
    const transport = openMail(`smtp://127.0.0.1:${gone}`, SENDER);
    await t.rejects(transport.send('ada@example.com', letter));
    transport.close();
  }
  t.equal(refusing.mails.length, 0);
});
