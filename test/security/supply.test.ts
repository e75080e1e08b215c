import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { environment } from '../../shared/config.ts'

/** What Drover is made of besides itself. */

interface Package {
  version?: string
  integrity?: string
  resolved?: string
  dev?: boolean
  hasInstallScript?: boolean
  dependencies?: Record<string, string>
}
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
const manifest = json('package.json') as {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}
const locked = json('package-lock.json') as { packages: Record<string, Package> }
const { '': root, ...packages } = locked.packages
const wanted = { ...manifest.dependencies, ...manifest.devDependencies }

describe('a dependency', () => {
  it.each(Object.keys(wanted))('%s is locked, to one version with its digest', (name) => {
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      integrity: expect.stringMatching(/^sha512-/),
    })
  })

  it('of a dependency is locked too', () => {
    const loose = Object.entries(packages).filter(
      ([, { version, integrity }]) => !version || !integrity?.startsWith('sha512-'),
    )
    expect(loose.map(([path]) => path)).toEqual([])
  })

  it('is what package.json asks for', () => {
    expect(root?.dependencies).toEqual(manifest.dependencies)
  })

  it('comes from no address but the registry', () => {
    const others = Object.values(wanted).filter((range) => !/^[\^~]?\d+\.\d+\.\d+$/.test(range))
    expect(others).toEqual([])
    const elsewhere = Object.values(packages).flatMap(({ resolved }) =>
      resolved === undefined || resolved.startsWith('https://registry.npmjs.org/') ? [] : [resolved],
    )
    expect(elsewhere).toEqual([])
  })

  it('that functions run with runs no program when it is installed', () => {
    const scripts = Object.entries(packages).filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev)
    expect(scripts.map(([path]) => path)).toEqual([])
  })
})

describe('npm sbom', () => {
  it('lists what functions run with, each by name and version, and not as what is for development', async () => {
    const { stdout } = await promisify(execFile)('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'], {
      maxBuffer: 1 << 26,
      env: { PATH: environment()['PATH'], HOME: environment()['HOME'] },
    })
    const { bomFormat, components } = JSON.parse(stdout) as {
      bomFormat: string
      components: { name: string; version: string; properties: { name: string }[] }[]
    }
    expect(bomFormat).toBe('CycloneDX')
    const named = new Set(
      components
        .filter(({ properties }) => !properties.some(({ name }) => /development/.test(name)))
        .map(({ name }) => name),
    )
    expect(Object.keys(manifest.dependencies).filter((name) => !named.has(name))).toEqual([])
    expect(components.every(({ version }) => /^\d/.test(version))).toBe(true)
  })
})

describe('an image that containers are made from', () => {
  /** Has a version or a digest of its own, never "latest" or none, which would be another one tomorrow. */
  const isPinned = (image: string) => /:v?\d[\w.-]*$|@sha256:[0-9a-f]{64}$/.test(image)

  it('of tools that Drover has run has a version, never "latest"', () => {
    const texts = globSync(['shared/config.ts', 'broker/**/*.yaml']).map((path) => readFileSync(path, 'utf8'))
    const images = texts.flatMap((text) => [...text.matchAll(/quay\.io\/[\w./-]+(:[\w.-]+)?/g)].map(([image]) => image))
    expect(images.length).toBeGreaterThan(0)
    expect(images.filter((image) => !isPinned(image))).toEqual([])
  })

  it('and of Drover itself is made from others of one release, and of nothing beside', () => {
    const text = readFileSync('Containerfile', 'utf8')
    const given = new Map([...text.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]))
    const from = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image = '']) =>
      image.replace(/^\$\{(\w+)\}$/, (_, name: string) => given.get(name) ?? 'nothing'),
    )
    expect(from).toHaveLength(2)
    expect(from.filter((image) => !isPinned(image))).toEqual([])
    expect(new Set(from.map((image) => image.split(':').at(-1))).size).toBe(1)
    expect([...text.matchAll(/--from=(\S+)/g)].map(([, stage]) => stage)).toEqual(['build'])
    expect(readFileSync('func.yaml', 'utf8')).toContain(`s2i: ${from[0]}\n`)
  })
})
