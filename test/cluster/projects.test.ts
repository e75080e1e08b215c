import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { machineApplication } from '../../shared/gitops/application.ts'
import type { Manifest } from '../../shared/kubevirt/manifest.ts'
import { applicationFile, manifestsFolder, placementFile } from '../../shared/paths.ts'
import { toYaml } from '../../shared/yaml.ts'
import { type Api, openApi } from './api.ts'
import { until } from './platform.ts'

/** `broker/argocd` before the real Argo CD: what the fleet repository may bring, and what not. */

const plane = inject('controlPlane')
const root = new URL('../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'projects-'))
const repository = `projects-${process.pid}`
const repoUrl = `${plane?.repositories.url}/${repository}.git`
const run = async (command: string, ...args: string[]) =>
  (
    await promisify(execFile)(command, args, {
      cwd: directory,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: directory },
    })
  ).stdout
const kubectl = (...args: string[]) => run(plane?.kubectl ?? '', '--kubeconfig', plane?.kubeconfig ?? '', ...args)

let api: Api
beforeAll(async () => {
  api = openApi(plane?.kubeconfig ?? '')
  await run(
    'git',
    'init',
    '--quiet',
    '--bare',
    '--initial-branch=main',
    join(plane?.repositories.folder ?? '', `${repository}.git`),
  )
  await run('git', 'init', '--quiet', '--initial-branch=main', 'fleet')
  await push('hub/README.md', 'What the hub applies.\n')
  const value = (path: string) => [{ op: 'replace', path, value: repoUrl }]
  const patches = [
    { target: { kind: 'AppProject' }, patch: JSON.stringify(value('/spec/sourceRepos/0')) },
    { target: { kind: 'Application' }, patch: JSON.stringify(value('/spec/source/repoURL')) },
  ]
  const resources = [relative(directory, join(root, 'broker/argocd'))]
  writeFileSync(join(directory, 'kustomization.yaml'), toYaml({ resources, patches }))
  await kubectl('apply', '-k', directory)
})
afterAll(async () => {
  await kubectl('delete', '-f', join(root, 'broker/argocd/machines-only.yaml'))
  await kubectl('-n', 'argocd', 'delete', 'application', 'drover-hub', '--ignore-not-found')
  await kubectl('-n', 'argocd', 'delete', 'application', '-l', 'app.kubernetes.io/managed-by=drover', '--wait=false')
  await kubectl('-n', 'argocd', 'delete', 'placement', 'projects-test', '--ignore-not-found')
  api.close()
  rmSync(directory, { recursive: true })
})

async function push(path: string, text: string): Promise<void> {
  const file = join(directory, 'fleet', path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  const git = (...args: string[]) =>
    run('git', '-C', 'fleet', '-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args)
  await git('add', '--all')
  await git('commit', '--quiet', '--message', `Change ${path}`)
  await git('push', '--quiet', join(plane?.repositories.folder ?? '', `${repository}.git`), 'main')
}

interface Status {
  sync?: { status: string }
  conditions?: { type: string; message: string }[]
  operationState?: {
    phase: string
    message?: string
    syncResult?: { resources?: { kind: string; name: string; message?: string }[] }
  }
}

async function statusOf(name: string): Promise<Status | undefined> {
  return ((await api.get('Application', 'argocd', name)) as { status?: Status } | undefined)?.status
}

async function refresh(name: string): Promise<void> {
  await api.merge('Application', 'argocd', name, {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  })
}

const settings = { repoUrl, branch: 'main', namespace: 'argocd', project: 'drover', rootApplication: 'drover-hub' }
const application = (namespace: string, name: string, change: object = {}) => {
  const made = machineApplication({ cluster: 'site-a', namespace, name }, settings)
  return toYaml({ ...made, spec: { ...(made.spec as object), ...change } })
}

/** Puts a machine's Application and one object of it into the fleet, and has the hub look. */
async function bring(namespace: string, name: string, object: Manifest, change?: object): Promise<void> {
  await push(`${manifestsFolder('site-a', namespace, name)}/object.yaml`, toYaml(object))
  await push(applicationFile('site-a', namespace, name), application(namespace, name, change))
  await refresh('drover-hub')
}

const role = (namespace: string, name: string): Manifest => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name, namespace },
  rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
})

/** All that Argo CD complains of in an Application. */
const complaints = (status: Status | undefined) =>
  [
    ...(status?.conditions ?? []).map(({ message }) => message),
    status?.operationState?.message,
    ...(status?.operationState?.syncResult?.resources ?? []).map(({ message }) => message),
  ].join('\n')

describe('the fleet repository', () => {
  it('brings Placements and machines, by the two projects', async () => {
    const placement = {
      apiVersion: 'cluster.open-cluster-management.io/v1beta1',
      kind: 'Placement',
      metadata: { name: 'projects-test', namespace: 'argocd' },
      spec: { numberOfClusters: 1 },
    }
    await push(placementFile('projects-test'), toYaml(placement))
    await bring('projects-shop', 'projects-web', role('projects-shop', 'projects-web'))
    await until(
      'the Placement is there',
      async () => (await api.get('Placement', 'argocd', 'projects-test')) !== undefined,
    )
    await until('the machine is synced', async () => (await statusOf('projects-web'))?.sync?.status === 'Synced')
    expect(await api.get('Role', 'projects-shop', 'projects-web')).toBeDefined()
  })

  it('brings nothing near what runs a cluster', async () => {
    await bring('kube-system', 'projects-evil', role('kube-system', 'projects-evil'))
    await until('it is refused', async () =>
      complaints(await statusOf('projects-evil')).includes('do not match any of the allowed destinations'),
    )
    expect(await api.get('Role', 'kube-system', 'projects-evil')).toBeUndefined()
  })

  it('brings no kind that Drover does not render', async () => {
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'projects-odd', namespace: 'projects-shop' },
    }
    await bring('projects-shop', 'projects-odd', account)
    await until('it is refused', async () =>
      /not permitted in project drover/.test(complaints(await statusOf('projects-odd'))),
    )
  })

  it('brings nothing from another repository', async () => {
    const source = { repoURL: 'https://evil.example.com/fleet.git', targetRevision: 'main', path: '.' }
    await bring('projects-shop', 'projects-foreign', role('projects-shop', 'projects-foreign'), { source })
    await until('it is refused', async () =>
      /repo https:\/\/evil.example.com.* is not permitted in project/.test(
        complaints(await statusOf('projects-foreign')),
      ),
    )
  })

  it('brings no Application of another project, in which it might do anything', async () => {
    await bring('projects-shop', 'projects-free', role('projects-shop', 'projects-free'), { project: 'default' })
    await until('it is refused', async () =>
      complaints(await statusOf('drover-hub')).includes('must belong to the project'),
    )
    expect(await api.get('Application', 'argocd', 'projects-free')).toBeUndefined()
  })

  it('brings nothing else to the hub', async () => {
    await push(
      'hub/evil.yaml',
      toYaml({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'projects-evil', namespace: 'argocd' } }),
    )
    await until('it is refused', async () => {
      // A look that was under way may not have seen the push.
      await refresh('drover-hub')
      return /not permitted in project drover-hub/.test(complaints(await statusOf('drover-hub')))
    })
  })
})
