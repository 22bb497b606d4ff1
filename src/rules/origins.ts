interface Origins {
  ISSUER: string;
  APP_URL: string;
  CORS_ORIGINS: string[];
}

/** The origins whose pages may call with cookies and use passkeys: those of ISSUER and APP_URL, and the list in CORS_ORIGINS. */
export function allowedOrigins({ ISSUER, APP_URL, CORS_ORIGINS }: Origins): Set<string> {
  const own = [ISSUER, APP_URL].map((url) => new URL(url).origin);
  return new Set([...own, ...CORS_ORIGINS]);
}
