/** The darkest light surface and the lightest dark one that text in the accent colour stands on (`src/pages/style.css`). */
const LIGHT = '#f4f5f8';
const DARK = '#1c2029';

/** WCAG 2.2, success criterion 1.4.3. */
const READABLE = 4.5;

type Channels = [number, number, number];

const channelsOf = (hex: string): Channels => {
  const digits = hex.length === 4 ? hex.replaceAll(/[^#]/g, '$&$&') : hex;
  const number = Number.parseInt(digits.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
};

const hexOf = (channels: Channels): string =>
  `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;

/** Relative luminance, from 0 (black) to 1 (WCAG 2.2). */
function luminanceOf(hex: string): number {
  const [red, green, blue] = channelsOf(hex).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Channels;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  return (lighter + 0.05) / (darker + 0.05);
}

const mixed = (hex: string, toward: number, part: number): string =>
  hexOf(channelsOf(hex).map((channel) => channel + (toward - channel) * part) as Channels);

/** The colour, made darker (`toward` 0) or lighter (255) until it can be read on the surface: black and white can. */
function readable(hex: string, surface: string, toward: number): string {
  let part = 0;
  while (contrast(mixed(hex, toward, part), surface) < READABLE) part += 0.05;
  return mixed(hex, toward, part);
}

/** The colours that follow from PRODUCT_COLOR (`#rgb` or `#rrggbb`), as a rule for the style sheet. */
export const accentRule = (color: string): string => `:root {
  --accent: ${color};
  --on-accent: ${contrast(color, '#ffffff') >= READABLE ? '#ffffff' : '#000000'};
  --accent-on-light: ${readable(color, LIGHT, 0)};
  --accent-on-dark: ${readable(color, DARK, 255)};
}
`;
