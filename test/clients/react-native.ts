import { readFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { Test } from 'tap';
import type { Client, ClientStorage, Options } from '../../src/clients/client.d.ts';

/** The packages that React Native 0.88 itself takes for these globals (Libraries/Core/setUpXHR.js). */
const POLYFILLS = [
  import.meta.resolve('abort-controller/dist/abort-controller.umd.js'),
  import.meta.resolve('whatwg-fetch/dist/fetch.umd.js'),
].map((url) => readFileSync(new URL(url), 'utf8'));

/** As in Libraries/Blob/URL.js: a text and regular expressions. It accepts much, and has no origin for most schemes. */
const URL_OF_REACT_NATIVE = `
globalThis.URL = class URL {
  constructor(url, base) {
    this._url = base ? base.replace(/\\/$/, '') + (url.startsWith('/') ? url : '/' + url) : url;
    const afterProtocol = this._url.split('://')[1];
    if (!/[?#]|\\/$/.test(this._url) && afterProtocol && !afterProtocol.includes('/')) this._url += '/';
  }
  get href() { return this.toString(); }
  get origin() { return this._url.match(/^(https?:\\/\\/[^/]+)/)?.[1] ?? ''; }
  toString() { return this._url; }
}`;

/** The network of the device, and what a killed app no longer hears of. */
function device() {
  const timers = new Set<NodeJS.Timeout>();
  const requests = new Set<ClientRequest>();
  let isKilled = false;

  class XMLHttpRequest {
    responseType = '';
    status = 0;
    statusText = '';
    responseURL = '';
    response: unknown;
    withCredentials = true;
    readyState = 0;
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    onreadystatechange?: () => void;
    #request?: ClientRequest;
    #headers = '';

    open(method: string, url: string) {
      this.responseURL = url;
      this.#request = request(url, { method, agent: false });
      requests.add(this.#request);
    }
    setRequestHeader(name: string, value: string) {
      this.#request?.setHeader(name, value);
    }
    getAllResponseHeaders() {
      return this.#headers;
    }
    send(body: string | null) {
      this.#request
        ?.on('response', async (answer) => {
          const pieces = await Array.fromAsync(answer);
          this.status = answer.statusCode ?? 0;
          this.#headers = Object.entries(answer.headers)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join('');
          this.response = new Blob(pieces);
          if (!isKilled) this.onload?.();
        })
        .on('error', () => {
          if (!isKilled) this.onerror?.();
        })
        .end(body ?? undefined);
    }
    abort() {
      this.#request?.destroy();
    }
  }

  class FileReader {
    result: unknown;
    onload?: () => void;
    onerror?: () => void;
    readAsText(blob: Blob) {
      blob.text().then((text) => {
        this.result = text;
        if (!isKilled) this.onload?.();
      });
    }
  }

  return {
    globals: {
      XMLHttpRequest,
      FileReader,
      Blob,
      console,
      navigator: { product: 'ReactNative' },
      setTimeout: (work: () => void, length: number) => {
        const timer = setTimeout(work, length);
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
    },
    kill: () => {
      isKilled = true;
      for (const timer of timers) clearTimeout(timer);
      for (const sent of requests) sent.destroy();
    },
  };
}

/** A script instead of a module, as React Native's bundler makes it. Of the same length, so that its coverage counts. */
const MODULE = resolve('src/clients/client.js');
const script = new vm.Script(readFileSync(MODULE, 'utf8').replace('export {', 'module={'), {
  filename: pathToFileURL(MODULE).href,
});

export interface ReactNativeApp {
  client: Client;
  fetch: typeof fetch;
  Request: typeof Request;
  URL: typeof URL;
  globals: string[];
  /** The system ends the app: no timer, no answer and no promise of it goes on. The storage survives. */
  kill(): void;
}

/** Starts an app in a world that has the globals of React Native 0.88 alone, and the language itself. */
export function startApp(t: Test, options: Options & { storage: ClientStorage }): ReactNativeApp {
  const { globals, kill } = device();
  const world = vm.createContext({ ...globals });
  vm.runInContext('globalThis.window = globalThis.self = globalThis;', world);
  vm.runInContext(URL_OF_REACT_NATIVE, world);
  for (const polyfill of POLYFILLS) vm.runInContext(polyfill, world);
  vm.runInContext('Object.assign(globalThis, globalThis.AbortControllerShim);', world);
  script.runInContext(world);
  t.teardown(kill);
  return {
    client: world['module'].createClient(options),
    fetch: world['fetch'],
    Request: world['Request'],
    URL: world['URL'],
    globals: vm.runInContext('Object.getOwnPropertyNames(globalThis)', world),
    kill,
  };
}
