import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { parseYaml } from '../../shared/yaml.ts'

/** `broker/argocd/health.yaml` in Argo CD's own Lua, beside what Argo CD says by itself since 3.5.3. */

const argocd = join(dirname(inject('controlPlane')?.kubectl ?? ''), 'argocd')
const directory = mkdtempSync(join(tmpdir(), 'health-'))
afterAll(() => rmSync(directory, { recursive: true }))

const ours = parseYaml(readFileSync(new URL('../../broker/argocd/health.yaml', import.meta.url), 'utf8')) as {
  data: object
}
const settings = (data: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'argocd-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
  data,
})

async function healthOf(machine: object, data: object): Promise<string | undefined> {
  const [object, config] = ['machine.json', 'settings.json'].map((name) => join(directory, name)) as [string, string]
  const virtualMachine = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: 'web', namespace: 'shop' },
  }
  writeFileSync(object, JSON.stringify({ ...virtualMachine, ...machine }))
  writeFileSync(config, JSON.stringify(settings(data)))
  const args = ['admin', 'settings', 'resource-overrides', 'health', object, '--argocd-cm-path', config]
  const { stdout } = await promisify(execFile)(argocd, args, { env: { HOME: directory } })
  return /^STATUS: (\w+)$/m.exec(stdout)?.[1]
}

const ready = (status: 'True' | 'False') => ({ type: 'Ready', status })
const halted = { runStrategy: 'Halted' }
const always = { runStrategy: 'Always' }

describe.skipIf(!existsSync(argocd))('the health of a machine', () => {
  it.each<[string, string, string, object]>([
    [
      'that Git wants stopped, and is',
      'Healthy',
      'Healthy',
      { spec: halted, status: { printableStatus: 'Stopped', conditions: [ready('False')] } },
    ],
    [
      'that Git wants stopped in the old way, and is',
      'Healthy',
      'Healthy',
      { spec: { running: false }, status: { conditions: [ready('False')] } },
    ],
    ['that Git wants stopped, and was never started', 'Healthy', 'Healthy', { spec: halted }],
    // Argo CD would say that it is well before it has stopped.
    [
      'that Git wants stopped, and still runs',
      'Progressing',
      'Healthy',
      { spec: halted, status: { created: true, printableStatus: 'Stopping', conditions: [ready('True')] } },
    ],
    ['that was applied just now', 'Progressing', 'Progressing', { spec: always }],
    [
      'that is starting',
      'Progressing',
      'Progressing',
      { spec: always, status: { created: true, printableStatus: 'Starting', conditions: [ready('False')] } },
    ],
    [
      'that runs',
      'Healthy',
      'Healthy',
      { spec: always, status: { created: true, ready: true, printableStatus: 'Running', conditions: [ready('True')] } },
    ],
    [
      'that is paused',
      'Suspended',
      'Suspended',
      { spec: always, status: { created: true, conditions: [ready('True'), { type: 'Paused', status: 'True' }] } },
    ],
    [
      'that stopped by itself',
      'Suspended',
      'Suspended',
      { spec: { runStrategy: 'RerunOnFailure' }, status: { printableStatus: 'Stopped', conditions: [ready('False')] } },
    ],
  ])('%s: %s', async (_, wanted, usual, machine) => {
    expect(await healthOf(machine, ours.data)).toBe(wanted)
    expect(await healthOf(machine, {})).toBe(usual)
  })
})
