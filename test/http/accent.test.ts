import t from 'tap';
import { accentRule, contrast } from '../../src/http/accent.ts';

const variableOf = (rule: string, name: string) => {
  const [, value = ''] = new RegExp(`--${name}: (#[\\da-f]+);`).exec(rule) ?? [];
  return value;
};

t.test('text in and on every product colour can be read', async (t) => {
  for (const color of ['#000', '#ffffff', '#3b5bdb', '#FFD400', '#7f7f7f', '#0f0', '#c00000']) {
    const rule = accentRule(color);
    t.match(rule, `--accent: ${color};`);
    t.ok(contrast(color, variableOf(rule, 'on-accent')) >= 4.5, `on ${color}`);
    t.ok(contrast('#f4f5f8', variableOf(rule, 'accent-on-light')) >= 4.5, `${color} in light`);
    t.ok(contrast('#1c2029', variableOf(rule, 'accent-on-dark')) >= 4.5, `${color} in dark`);
  }
});

t.test('a colour that can be read is not changed', async (t) => {
  t.equal(variableOf(accentRule('#3b5bdb'), 'accent-on-light'), '#3b5bdb');
  t.equal(variableOf(accentRule('#FD0'), 'accent-on-dark'), '#ffdd00');
});

t.test('contrast is that of WCAG', async (t) => {
  t.equal(contrast('#fff', '#000'), 21);
  t.equal(contrast('#777', '#777777'), 1);
});
