const OTHERS = /[+/=]/g;

export const base64url = (bytes: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(
    OTHERS,
    (letter) => ({ '+': '-', '/': '_' })[letter] ?? '',
  );
