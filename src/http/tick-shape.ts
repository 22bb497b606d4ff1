import { createHook } from 'node:async_hooks';

let kept: object | undefined;

/**
 * Keeps one object of `process.nextTick` alive. Node makes seven of them for each request, with computed keys. When
 * none is alive, V8's garbage collection drops their hidden classes; the next ones get new classes, and from then on V8
 * makes each of them six times more slowly. Call it first, before the first collection.
 */
export function keepTickShape(): void {
  const hook = createHook({
    init: (_id, type, _trigger, tick) => {
      if (type === 'TickObject') kept ??= tick;
    },
  });
  hook.enable();
  process.nextTick(() => kept);
  hook.disable();
}
