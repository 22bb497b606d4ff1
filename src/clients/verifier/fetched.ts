export interface Wanted {
  fetch: typeof fetch;
  url: string;
  headers?: Record<string, string>;
  /** The media type of the answer. */
  type: string;
  /** Milliseconds, for the whole answer. */
  timeout: number;
  /** Bytes, after decompression. */
  limit: number;
  controller?: AbortController;
}

export interface Timer {
  unref?(): void;
}

/** A timer that does not keep a process of Node, Deno or Bun alive. */
export const after = (milliseconds: number, work: () => void): ReturnType<typeof setTimeout> => {
  const timer = setTimeout(work, milliseconds);
  (timer as Timer).unref?.();
  return timer;
};

/** Milliseconds of a clock that cannot be set. */
export const uptime = (): number => performance.now();

/** The text of a 200 of this type. Throws for any other answer, one that is too long, too slow or redirected. */
export const fetched = async ({
  fetch,
  url,
  headers = {},
  type,
  timeout,
  limit,
  controller = new AbortController(),
}: Wanted): Promise<{ text: string; headers: Headers }> => {
  const timer = after(timeout, () => controller.abort());
  try {
    const answer = await fetch(url, {
      headers: { Accept: type, ...headers },
      // Workers know no `error`. An answer that redirects is no 200.
      redirect: 'manual',
      signal: controller.signal,
    });
    const is = answer.headers.get('Content-Type')?.split(';')[0]?.trim();
    if (answer.status !== 200 || is !== type || !answer.body)
      throw new Error(`status ${answer.status}, ${is}`);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = '';
    let size = 0;
    let part = await reader.read();
    while (part.value) {
      size += part.value.length;
      if (size > limit) throw new Error('too long');
      text += decoder.decode(part.value, { stream: true });
      part = await reader.read();
    }
    return { text: text + decoder.decode(), headers: answer.headers };
  } finally {
    clearTimeout(timer);
    // Ends the connection of an answer that was not read to its end.
    controller.abort();
  }
};
