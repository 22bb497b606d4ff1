import t from 'tap';
import { targetOf } from '../../../src/parts/dpop/target.ts';

t.test('two spellings of one URL are the same target', async (t) => {
  for (const [text, target] of [
    ['https://auth.example.com/v1/me', 'https://auth.example.com/v1/me'],
    ['HTTPS://Auth.Example.COM:443/v1/me', 'https://auth.example.com/v1/me'],
    ['http://auth.example.com:80/v1/me', 'http://auth.example.com/v1/me'],
    ['https://auth.example.com/v1/me?a=b#c', 'https://auth.example.com/v1/me'],
    ['https://auth.example.com/v1/x/../me', 'https://auth.example.com/v1/me'],
    ['https://auth.example.com/v1/%6d%65', 'https://auth.example.com/v1/me'],
    ['https://auth.example.com/a%2fb', 'https://auth.example.com/a%2Fb'],
    ['https://auth.example.com', 'https://auth.example.com/'],
  ] as const)
    t.equal(targetOf(text), target, text);
});

t.test('other URLs are other targets', async (t) => {
  const target = targetOf('https://auth.example.com/v1/me');
  for (const text of [
    'http://auth.example.com/v1/me',
    'https://auth.example.com:8443/v1/me',
    'https://auth.example.com.evil.example/v1/me',
    'https://auth.example.com/v1/me/',
    'https://auth.example.com/v1/Me',
    'https://auth.example.com//v1/me',
    'https://auth.example.com@evil.example/v1/me',
    'https://x@auth.example.com/v1/me',
    'https://:x@auth.example.com/v1/me',
    'urn:auth.example.com/v1/me',
    '/v1/me',
    'auth.example.com/v1/me',
    '',
  ])
    t.not(targetOf(text), target, text);
});
