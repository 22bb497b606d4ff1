import t from 'tap';
import { behindPrefix } from '../../../src/parts/storage/prefix.ts';

t.test(
  'the text behind a prefix sorts after all texts with that prefix, and before all others',
  async (t) => {
    t.equal(behindPrefix('ada'), 'adb');
    t.equal(behindPrefix('a_'), 'a`');
    t.equal(behindPrefix('é'), 'ê');
    t.equal(behindPrefix('\u{1f511}'), '\u{1f512}', 'by code points');
    t.equal(behindPrefix('a\ud7ff'), 'a\ue000', 'surrogates are skipped');
    t.equal(behindPrefix('a\u{10ffff}\u{10ffff}'), 'b', 'the last code point has no successor');
  },
);

t.test('an empty prefix has no end', async (t) => {
  t.equal(behindPrefix(''), undefined);
  t.equal(behindPrefix('\u{10ffff}'), undefined);
});
