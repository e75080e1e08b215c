import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEventFile } from '../../scripts/event-file.ts'
import { openFolder } from '../../scripts/folder-tree.ts'
import { rehearse } from '../../scripts/rehearse.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** What guests of the examples read at their first boot, read by cloud-init itself. */

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-cloud-init-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function definitionOf(file: string): Promise<Definition> {
  const { event } = await readEventFile(file)
  const settings = { branch: 'main', namespace: 'argocd', project: 'default', rootApplication: 'drover-hub' }
  const changes = await rehearse(
    {
      source: event.source,
      id: event.id,
      request: event.data,
      cluster: 'site-a',
      settings: { ...settings, repoUrl: 'https://git.example.com/fleet.git' },
    },
    await openFolder('examples/fleet'),
  )
  const written = changes.find(({ path }) => path.startsWith('vms/') && path.endsWith('/values.yaml'))
  return parseYaml(written?.content ?? '', file) as Definition
}

/** As External Secrets leaves it: a value where the template's action was. */
const filled = (template: string) => template.replaceAll(/\{\{ .*? \}\}/g, 'value')

function cloudInit(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('cloud-init', args, { encoding: 'utf8' })
  expect(status, stdout + stderr).toBe(0)
  expect(stdout + stderr).not.toMatch(/error|invalid|warning/i)
}

const examples = globSync('examples/provision*.json').sort()

describe.each(examples)('cloud-init, given what Drover makes of %s,', (file) => {
  it('finds the user-data valid', async () => {
    const { guest, guestConfiguration } = await definitionOf(file)
    if (guestConfiguration.userData === undefined) return expect(guest).toBe('windows')
    const path = join(folder, 'user-data')
    writeFileSync(path, filled(guestConfiguration.userData))
    return cloudInit('schema', '--config-file', path)
  })

  it.each([
    ['netplan', 'ubuntu'],
    ['sysconfig', 'rhel'],
    ['networkd', 'debian'],
  ])('sets up the network by %s, with every address', async (kind, distribution) => {
    const { guestConfiguration, interfaces } = await definitionOf(file)
    const path = join(folder, 'network-data')
    const out = mkdtempSync(join(folder, `${kind}-`))
    writeFileSync(path, filled(guestConfiguration.networkData ?? ''))
    cloudInit('devel', 'net-convert', '-p', path, '-k', 'yaml', '-d', out, '-D', distribution, '-O', kind)
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    const text = files.map((one) => readFileSync(join(one.parentPath, one.name), 'utf8')).join('\n')
    for (const { address } of interfaces.flatMap(({ leases }) => leases)) expect(text).toContain(address)
  })
})

describe('cloud-init', () => {
  it('would say what is wrong with user-data', () => {
    const path = join(folder, 'wrong')
    writeFileSync(path, '#cloud-config\nusers: 7\n')
    expect(spawnSync('cloud-init', ['schema', '--config-file', path]).status).not.toBe(0)
  })
})
