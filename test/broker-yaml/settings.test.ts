import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { selfSigned } from '../../local/clusters/certificate.ts'
import { type Config, newSigningKey, readConfig } from '../../shared/config.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { kustomize } from './kustomize.ts'
import { find } from './manifest.ts'
import { posters } from './posters.ts'

const root = new URL('../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'settings-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** What an administrator puts into the Secrets. */
const git = {
  token: 'git-token',
  'ssh-key': String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
  known_hosts: 'git.example.com ssh-ed25519 AAAA',
  'ca.crt': selfSigned('git.example.com').certificate,
}
const keys: Record<string, Record<string, string>> = {
  'drover-signing-keys': { keys: newSigningKey() },
  'drover-git': git,
  'drover-git-read': { ...git, token: 'read-token' },
  'drover-clusters': { kubeconfig: '{}' },
  'drover-cmdb': { config: '{}', token: 'cmdb-token' },
}

/** The configuration that a function starts with in its container, whose files lie in a folder of their own here. */
function start(folder: string, name: FunctionName, own: Record<string, string> = {}): Config {
  const objects = kustomize(folder)
  const { containers, volumes } = find(objects, 'Service', name).spec.template.spec
  const mounts = mkdtempSync(join(directory, `${name}-`))
  for (const { name: volume, mountPath } of containers[0].volumeMounts) {
    const { secret, projected } = volumes.find((one) => one.name === volume) ?? {}
    const files = secret
      ? keys[secret.secretName]
      : { [projected?.sources[0]?.serviceAccountToken.path ?? 'none']: 'me' }
    for (const [file, text] of Object.entries(files ?? {})) {
      const path = join(mounts, mountPath, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }
  const { data } = find(objects, 'ConfigMap', 'drover-config')
  const env = Object.fromEntries(
    containers[0].env.map((one) => [one.name, one.value.replace(/^\/etc\//, `${mounts}/etc/`)]),
  )
  return readConfig({ ...data, DROVER_GIT_URL: 'https://git.example.com/fleet.git', ...own, ...env })
}

describe('a function', () => {
  it.each(functionNames)('%s starts with what its Service gives it', async (name) => {
    const config = start('broker', name)
    expect(config.function).toBe(name)
    expect(config.signingKeys((sentence) => expect.fail(sentence))).toHaveLength(1)
    expect(config.accessReview).toBe(false)
    expect(config.argocd).toMatchObject({ namespace: 'argocd', project: 'drover', rootApplication: 'drover-hub' })
    expect(config.broker).toBe('http://broker-ingress.knative-eventing.svc.cluster.local/drover/default')
    expect(config.cmdb).toEqual({ config: undefined })
    const token = await config.git.token?.()
    const read = ['validate', 'register', 'build'].includes(name) ? 'read-token' : 'git-token'
    expect(token).toBe(['verify', 'notify'].includes(name) ? undefined : read)
    expect(config.kubernetes.kubeconfig !== undefined).toBe(['locate', 'place', 'verify', 'recover'].includes(name))
  })

  it.each(functionNames)('%s on Kafka posts to Kafka’s ingress', (name) => {
    expect(start('test/broker-yaml/on-kafka', name).broker).toBe(
      'http://kafka-broker-ingress.knative-eventing.svc.cluster.local/drover/default',
    )
  })

  it.each(functionNames)('%s shows who it is where it posts by itself and the Broker asks', async (name) => {
    for (const folder of ['test/broker-yaml/with-oidc', 'test/broker-yaml/on-kafka-with-oidc'])
      expect(await start(folder, name).brokerToken?.()).toBe(posters.includes(name) ? 'me' : undefined)
    expect(start('test/broker-yaml/on-kafka-with-oidc', name).broker).toContain('kafka-broker-ingress')
  })

  it.each(functionNames)('%s has the enterprise system’s token only if it calls it', async (name) => {
    const { cmdb } = start('test/broker-yaml/with-cmdb', name)
    expect(await cmdb.token?.()).toBe(['register', 'recover'].includes(name) ? 'cmdb-token' : undefined)
  })

  it.each(functionNames)('%s reaches the fleet repository over SSH, and by a private CA, if it uses it', (name) => {
    const { git } = start('test/broker-yaml/with-ssh', name, { DROVER_GIT_URL: 'ssh://git@git.example.com/fleet.git' })
    const uses = !['verify', 'notify'].includes(name)
    expect(git.token).toBeUndefined()
    expect(git.ssh).toEqual(
      uses
        ? {
            keyFile: expect.stringMatching(/\/etc\/drover\/git\/ssh-key$/),
            knownHostsFile: expect.stringMatching(/\/etc\/drover\/git\/known_hosts$/),
          }
        : undefined,
    )
    expect(git.caFile !== undefined).toBe(uses)
  })

  it.each(functionNames)('%s asks the hub who may act only if it is validate', (name) => {
    expect(start('test/broker-yaml/with-access-review', name).accessReview).toBe(name === 'validate')
  })

  it('lives where OpenShift GitOps is, if that is where Argo CD is', () => {
    expect(start('test/broker-yaml/on-openshift', 'place').argocd.namespace).toBe('openshift-gitops')
    const namespaces = kustomize('test/broker-yaml/on-openshift')
      .filter(({ kind }) => kind === 'Role' || kind === 'RoleBinding')
      .map(({ metadata }) => metadata.namespace)
    expect(new Set(namespaces)).toEqual(new Set(['openshift-gitops']))
  })
})

describe('the ConfigMap', () => {
  it('has only variables that are documented', () => {
    const documented = readFileSync(join(root, 'docs/configuration.md'), 'utf8').match(/`[A-Z_]+`/g)
    for (const folder of ['broker', 'test/broker-yaml/on-kafka', 'examples/install/hub']) {
      const { data } = find(kustomize(folder), 'ConfigMap', 'drover-config')
      for (const name of Object.keys(data)) expect(documented).toContain(`\`${name}\``)
    }
  })

  it('leaves open where the fleet repository is, which nobody but the administrator knows', () => {
    const { data } = find(kustomize('broker'), 'ConfigMap', 'drover-config')
    expect(data).not.toHaveProperty('DROVER_GIT_URL')
    expect(() => readConfig({ ...data, DROVER_SIGNING_KEYS: newSigningKey() })).toThrow('DROVER_GIT_URL is not set')
  })
})

describe('the example of an administrator’s own settings', () => {
  it('says the image of every function, and where the fleet repository is', () => {
    const objects = kustomize('examples/install/hub')
    const images = objects
      .filter(({ kind }) => kind === 'Service')
      .map(({ spec }) => spec.template.spec.containers[0].image)
    expect(images).toEqual(functionNames.map(() => 'registry.example.com/platform/drover:0.1.0'))
    expect(find(objects, 'ConfigMap', 'drover-config').data).toMatchObject({
      DROVER_GIT_URL: expect.any(String),
      DROVER_ARGOCD_PROJECT: 'drover',
    })
  })
})
