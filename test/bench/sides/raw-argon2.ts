/** What the `argon2` package does at best, with the cost and the concurrency of the server. */
import argon2 from 'argon2';

const concurrency = Number(process.env['HASH_CONCURRENCY']);
const hash = await argon2.hash('correct horse battery staple', {
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
});

process.on('message', async (milliseconds: number) => {
  const from = performance.now();
  let verified = 0;
  const verifyAgain = async (): Promise<void> => {
    await argon2.verify(hash, 'correct horse battery staple');
    verified += 1;
    if (performance.now() - from < milliseconds) await verifyAgain();
  };
  await Promise.all(Array.from({ length: concurrency }, verifyAgain));
  process.send?.((verified * 1_000) / (performance.now() - from));
});
process.send?.('ready');
