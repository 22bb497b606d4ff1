import t from 'tap';
import { pageOf } from '../../../src/actions/administration/pages.ts';
import { PageQuery } from '../../../src/schemas/administration.ts';
import type { User } from '../../../src/schemas/user.ts';
import { ada } from '../../rules/samples.ts';

const rows = Array.from({ length: 120 }, (_, index) => ada({ id: String(index).padStart(3, '0') }));

const read = async ({ after, limit }: { after: string | undefined; limit: number }) =>
  rows.filter(({ id }) => after === undefined || id > after).slice(0, limit);

t.test('page after page shows each row once, in order', async (t) => {
  const seen: User[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await pageOf({ limit: 7, cursor }, read);
    t.ok(page.rows.length <= 7);
    seen.push(...page.rows);
    cursor = page.nextCursor ?? undefined;
    pages += 1;
  } while (cursor !== undefined);
  t.same(seen, rows);
  t.equal(pages, Math.ceil(120 / 7));
});

t.test('a last page that is just full has no next one', async (t) => {
  const page = await pageOf({ limit: 120 }, read);
  t.equal(page.rows.length, 120);
  t.equal(page.nextCursor, null);
  t.equal((await pageOf({ limit: 119 }, read)).nextCursor, '118');
});

t.test('a page without rows is the last one', async (t) => {
  t.same(await pageOf({ limit: 7 }, async () => []), { rows: [], nextCursor: null });
});

t.test('a page has fifty rows by default', async (t) => {
  const page = await pageOf(PageQuery.parse({}), read);
  t.equal(page.rows.length, 50);
});
