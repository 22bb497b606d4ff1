import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { Environment } from '../../src/config/environment.ts';
import { readConfig } from '../../src/config.ts';
import { keysFor, testApp } from '../test-app.ts';

/** After `SHUTDOWN_DELAY` a process ends within this time (ms): the limit in src/processes/ending.ts. */
const END_LIMIT = Number(
  /END_LIMIT = ([\d_]+)/
    .exec(readFileSync('src/processes/ending.ts', 'utf8'))?.[1]
    ?.replace('_', ''),
);

const dockerfile = readFileSync('Dockerfile', 'utf8');
const [, port = ''] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? [];
/** What the image sets. */
const OF_IMAGE = { NODE_ENV: 'production', HOST: '0.0.0.0' };

/** What an operator keeps in secrets. */
const SECRETS: Record<string, string> = {
  DATABASE_URL: 'postgres://latchkey:Zx81@postgres/latchkey',
  MAIL_URL: 'smtps://latchkey:Zx81@mail.example.com',
};

/** `512Mi` and `512m` are both mebibytes: Kubernetes and compose differ. */
const bytesOf = (size: string) => Number.parseInt(size, 10) * 1_048_576;

/** The file of keys is in the image's container; here the keys themselves stand for it. */
function accepted(t: Test, env: Record<string, string>, memory: string) {
  for (const name of Object.keys(env)) t.ok(name in Environment.shape, name);
  for (const [name, value] of Object.entries(OF_IMAGE))
    t.match(dockerfile, new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'));
  const config = readConfig(
    { ...OF_IMAGE, ...env, SIGNING_KEYS: keysFor('ES256') },
    { memoryLimit: bytesOf(memory) },
  );
  t.equal(String(config.PORT), port);
  return config;
}

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}
interface Probe {
  httpGet: { path: string; port: string };
  periodSeconds: number;
  failureThreshold: number;
}
interface Container {
  env: Variable[];
  ports: { name: string; containerPort: number }[];
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
  resources: { requests: { memory: string }; limits: { memory: string } };
  securityContext: object;
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}
interface Manifest {
  kind: string;
  metadata: { name: string; namespace: string };
  spec: Record<string, unknown>;
}

const kubernetes = readFileSync('.github/operation/kubernetes.yaml', 'utf8');
const manifests = parseAllDocuments(kubernetes).map((one) => one.toJS() as Manifest);
const named = (kind: string, name = 'latchkey') =>
  manifests.find((one) => one.kind === kind && one.metadata.name === name)?.spec as Record<
    string,
    unknown
  >;

interface Pod {
  terminationGracePeriodSeconds: number;
  securityContext: { runAsUser: number; runAsNonRoot: boolean; fsGroup: number };
  containers: [Container];
  volumes: { name: string; secret: { secretName: string; defaultMode: number } }[];
}
const deployment = named('Deployment') as unknown as {
  replicas: number;
  selector: { matchLabels: object };
  template: { metadata: { labels: object }; spec: Pod };
};
const pod = deployment.template.spec;
const [container] = pod.containers;
const environment = Object.fromEntries(
  container.env.map(({ name, value, valueFrom }) => [
    name,
    value ?? SECRETS[valueFrom?.secretKeyRef.key as string] ?? '',
  ]),
);

t.test(
  'Kubernetes: production accepts the environment, within the memory of the pod',
  async (t) => {
    const config = accepted(t, environment, container.resources.limits.memory);
    t.same(
      container.env
        .flatMap(({ valueFrom }) => (valueFrom ? [valueFrom.secretKeyRef.key] : []))
        .sort(),
      Object.keys(SECRETS).sort(),
    );
    for (const { name, value = '' } of container.env)
      t.notMatch(value, /:\/\/[^/]*@/, `${name} has no password in the file`);
    t.ok(
      pod.terminationGracePeriodSeconds * 1_000 > config.SHUTDOWN_DELAY + END_LIMIT,
      'the pod is not killed before it has ended by itself',
    );
    const { readinessProbe: ready } = container;
    t.ok(ready.periodSeconds * ready.failureThreshold * 1_000 <= config.SHUTDOWN_DELAY);
  },
);

t.test('Kubernetes: ports, probes, user and files are those of the image', async (t) => {
  const { METRICS_PORT } = readConfig({});
  t.same(
    container.ports.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['http', Number(port)],
      ['metrics', METRICS_PORT],
    ],
  );
  const { app } = await testApp(t, {
    env: { ISSUER: environment['ISSUER'] ?? '', APP_URL: environment['APP_URL'] ?? '' },
  });
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const { path, port } = container[probe].httpGet;
    t.equal(port, 'http');
    // As kubelet asks: over plain http, by the address of the pod.
    const answer = await app.inject({ url: path, headers: { host: '10.1.2.3:3000' } });
    t.equal(answer.statusCode, 200, path);
  }
  t.equal(container.readinessProbe.httpGet.path, '/readyz');
  t.match(dockerfile, /^USER node$/m);
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 1_000, fsGroup: 1_000 });
  t.match(container.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
  const mounted = container.volumeMounts.find(
    ({ mountPath }) => mountPath === dirname(environment['SIGNING_KEYS'] ?? ''),
  );
  t.equal(mounted?.readOnly, true);
  const volume = pod.volumes.find(({ name }) => name === mounted?.name);
  t.equal((volume?.secret.defaultMode ?? 0o777) & 0o007, 0, 'nobody else reads the keys');
  t.match(kubernetes, `create secret generic ${volume?.secret.secretName} --from-file=keys.json`);
});

t.test(
  'Kubernetes: three nodes, of which two always run, and metrics for the monitoring alone',
  async (t) => {
    t.equal(deployment.replicas, 3);
    const labels = deployment.template.metadata.labels;
    t.same(deployment.selector.matchLabels, labels);
    t.match(named('PodDisruptionBudget'), { minAvailable: 2, selector: { matchLabels: labels } });
    t.match(named('Service'), { selector: labels, ports: [{ targetPort: 'http' }] });
    t.equal((named('Service')['ports'] as unknown[]).length, 1);
    t.match(named('Service', 'latchkey-metrics'), { clusterIP: 'None', selector: labels });
    const { ingress } = named('NetworkPolicy') as {
      ingress: { from?: object[]; ports: { port: string }[] }[];
    };
    t.same(
      ingress.map(({ from = [], ports }) => [from.length, ports.map(({ port }) => port)]),
      [
        [0, ['http']],
        [1, ['metrics']],
      ],
    );
    const { hostname } = new URL(SECRETS['DATABASE_URL'] ?? '');
    t.ok(named('Service', hostname), 'the database in the URL is a service of the file');
    t.match(kubernetes, `@${hostname}/latchkey`);
    for (const { metadata } of manifests) t.equal(metadata.namespace, 'latchkey');
  },
);

t.test('compose: production accepts the environment, and the container is as tight', async (t) => {
  const compose = parse(readFileSync('.github/operation/compose.yaml', 'utf8'));
  const { latchkey, db, redis } = compose.services;
  const filled = Object.fromEntries(
    Object.entries<string>(latchkey.environment).map(([name, value]) => [
      name,
      value
        .replace(/\$\{MAIL_URL:[^}]*\}/, SECRETS['MAIL_URL'] ?? '')
        .replace(/\$\{\w+:[^}]*\}/, 'Zx81'),
    ]),
  );
  const config = accepted(t, filled, latchkey.mem_limit);
  t.ok(Number.parseInt(latchkey.stop_grace_period, 10) * 1_000 > config.SHUTDOWN_DELAY + END_LIMIT);
  t.match(latchkey, { read_only: true, cap_drop: ['ALL'] });
  for (const [name, { restart }] of Object.entries<{ restart: string }>(compose.services))
    t.equal(restart, 'unless-stopped', `${name} starts again with the machine`);
  for (const published of latchkey.ports)
    t.match(published, /^127\.0\.0\.1:(3000:3000|9464:9464)$/);
  t.equal(new URL(filled['DATABASE_URL'] ?? '').hostname in compose.services, true);
  t.equal(new URL(filled['REDIS_URL'] ?? '').hostname in compose.services, true);
  t.equal(`/run/secrets/${latchkey.secrets[0]}`, filled['SIGNING_KEYS']);
  t.ok(latchkey.secrets[0] in compose.secrets);
  t.equal(compose.networks.latchkey.ipam.config[0].gateway, filled['TRUST_PROXY']);
  t.notOk(db.ports ?? redis.ports, 'nothing else is published');
});

t.test('git does not see the keys that the recipes create', async (t) => {
  t.match(readFileSync('.gitignore', 'utf8'), /^keys\.json$/m);
});
