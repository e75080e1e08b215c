import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { functionNames } from '../shared/lifecycles.ts'
import { kustomize } from './broker-yaml/kustomize.ts'
import { find } from './broker-yaml/manifest.ts'
import { faultsOf } from './func/schema.ts'
import { type FuncYaml, partOfFuncYaml, partOfService, type Service } from './func/service.ts'

const root = new URL('../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')
// `func` reads YAML 1.1; its time is text to us.
const read = (path: string) => parse(text(path)) as FuncYaml
const folders = functionNames.map((name) => [name, `functions/${name}/`] as const)
const installed = kustomize('broker')
const all: (readonly [string, string])[] = [['the root', ''], ...folders]

describe('func.yaml', () => {
  it.each(all)('of %s is what the schema of func allows', (_, folder) => {
    expect(faultsOf(read(`${folder}func.yaml`))).toEqual([])
  })

  it.each(all)('of %s is in the newest version that func 1.23 knows, so func has nothing to migrate', (_, folder) => {
    expect(read(`${folder}func.yaml`)).toMatchObject({
      specVersion: '0.36.0',
      runtime: 'typescript',
      invoke: 'cloudevent',
      namespace: 'drover',
      // Without it `func` takes the folder for one that holds no function.
      created: expect.stringMatching(/^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$/),
    })
  })

  it('of the root builds the one image, which any function can run from', () => {
    const { name, build, run } = read('func.yaml')
    expect(name).toBe('drover')
    expect(run).toBeUndefined()
    const [, builder] = /^ARG BUILDER=(\S+)$/m.exec(text('Containerfile')) ?? []
    expect(builder).toMatch(/\/nodejs-24:[\d.]+$/)
    expect(build).toMatchObject({ builder: 's2i', builderImages: { s2i: builder } })
    const [, ...command] = /^CMD \["(node)", "(.*)"\]$/m.exec(text('Containerfile')) ?? []
    expect(build?.buildEnvs).toContainEqual({ name: 'NODE_CMD', value: command.join(' ') })
    expect(build?.buildEnvs).toContainEqual({ name: 'INIT_WRAPPER', value: 'true' })
    expect(text('Containerfile')).toMatch(/^ENTRYPOINT \[".*\/init-wrapper"\]$/m)
  })

  it.each(folders)('of %s says which function runs', (name, folder) => {
    const { name: own, run } = read(`${folder}func.yaml`)
    expect(own).toBe(name)
    expect(run?.envs).toContainEqual({ name: 'FUNCTION', value: name })
  })

  it.each(folders)('of %s asks for the Service that broker/ installs', (name, folder) => {
    const service = find(installed, 'Service', name) as unknown as Service
    expect(partOfFuncYaml(read(`${folder}func.yaml`))).toEqual(partOfService(service))
  })

  it.each(folders)('of %s subscribes to nothing: func never changes a Trigger, so triggers/ says it', (_, folder) => {
    expect(read(`${folder}func.yaml`).deploy).not.toHaveProperty('subscriptions')
  })

  it.each(all)(
    'of %s does not say that it is deployed: func would remove it there when it is to go elsewhere',
    (_, folder) => {
      expect(read(`${folder}func.yaml`).deploy).not.toHaveProperty('namespace')
    },
  )

  it.each(all)('of %s has what `func` writes kept out of Git', (_, folder) => {
    expect(text(`${folder}.gitignore`).split('\n')).toContain('/.func')
  })
})

describe('the schema of func', () => {
  const change = (path: string, value: unknown) => {
    const yaml = read('functions/commit/func.yaml') as unknown as Record<string, unknown>
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    const holder = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, yaml)
    holder[last] = value
    return yaml
  }

  it.each<[string, string, unknown, string]>([
    ['a misspelt field', 'deploy.option', {}, '/deploy must NOT have additional properties option'],
    ['a field where func does not look for it', 'envs', [], 'must NOT have additional properties envs'],
    ['no time of making', 'created', undefined, "must have required property 'created' created"],
    ['a name with a capital', 'name', 'Commit', '/name must match pattern'],
    ['another way to be invoked', 'invoke', 'event', '/invoke must be equal to one of the allowed values'],
    ['a word in place of settings', 'run', 'x', '/run must be object'],
    ['a number as text', 'deploy.options.scale.max', '1', '/deploy/options/scale/max must be integer'],
    ['a volume of two kinds', 'run.volumes', [{ secret: 'a', emptyDir: {}, path: '/a' }], 'must match exactly one'],
    ['a bad name of a variable', 'run.envs', [{ name: '1', value: 'a' }], '/run/envs/0/name must match pattern'],
    ['a builder that func has only as a flag', 'build', { builder: 'host' }, '/build/builder must be equal to one of'],
  ])('refuses %s', (_, path, value, fault) => {
    expect(faultsOf(change(path, value)).join('\n')).toContain(fault)
  })
})
