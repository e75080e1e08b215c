import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { functionNames } from '../shared/lifecycles.ts'
import { check } from '../shared/schema/check.ts'
import { Strict } from '../shared/schema/parts.ts'

/** What `func` 1.23 knows in a func.yaml of spec version 0.36.0, of which it only warns; here a misspelt field fails. */
const optional = Type.Optional
const Text = Type.String({ minLength: 1 })
const Cpu = Type.String({ pattern: '^[0-9]+m?$' })
const Memory = Type.String({ pattern: '^[0-9]+(Ki|Mi|Gi)$' })
const Env = Strict({ name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), value: Type.String() })
const Name = Type.String({ pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63 })
const Health = Type.String({ pattern: '^/' })

const FuncYaml = Strict({
  specVersion: Type.Literal('0.36.0'),
  name: Name,
  runtime: Type.Literal('typescript'),
  registry: optional(Text),
  image: optional(Text),
  namespace: optional(Name),
  // Without it `func` takes the folder for one that holds no function.
  created: Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$' }),
  invoke: Type.Literal('cloudevent'),
  build: optional(
    Strict({
      builder: optional(Type.Union([Type.Literal('pack'), Type.Literal('s2i')])),
      buildEnvs: optional(Type.Array(Env)),
    }),
  ),
  run: optional(Strict({ envs: optional(Type.Array(Env)), startTimeout: optional(Text) })),
  deploy: Strict({
    namespace: Name,
    serviceAccountName: optional(Name),
    annotations: optional(Type.Record(Text, Type.String())),
    labels: optional(Type.Array(Strict({ key: Text, value: Type.String() }))),
    options: optional(
      Strict({
        scale: optional(
          Strict({
            min: optional(Type.Integer({ minimum: 0 })),
            max: optional(Type.Integer({ minimum: 0 })),
            metric: optional(Type.Union([Type.Literal('concurrency'), Type.Literal('rps')])),
            target: optional(Type.Number({ minimum: 0.01 })),
            utilization: optional(Type.Number({ minimum: 1, maximum: 100 })),
          }),
        ),
        resources: optional(
          Strict({
            requests: optional(Strict({ cpu: optional(Cpu), memory: optional(Memory) })),
            limits: optional(
              Strict({
                cpu: optional(Cpu),
                memory: optional(Memory),
                concurrency: optional(Type.Integer({ minimum: 0 })),
              }),
            ),
          }),
        ),
      }),
    ),
    healthEndpoints: Strict({ liveness: Health, readiness: Health }),
  }),
})

const root = new URL('../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')
// `func` reads YAML 1.1; its time is text to us.
const read = (path: string) => parse(text(path)) as Static<typeof FuncYaml>
const folders = functionNames.map((name) => [name, `functions/${name}/`] as const)
const all: (readonly [string, string])[] = [['the root', ''], ...folders]

describe('func.yaml', () => {
  it.each(all)('of %s is one that func takes', (_, folder) => {
    const checked = check(FuncYaml, read(`${folder}func.yaml`), 'func.yaml')
    expect('problems' in checked ? checked.problems : []).toEqual([])
  })

  it('of the root builds the one image, which any function can run from', () => {
    const { build, run } = read('func.yaml')
    expect(build?.buildEnvs).toContainEqual({ name: 'BP_NODE_RUN_SCRIPTS', value: 'build' })
    expect(run?.envs ?? []).not.toContainEqual(expect.objectContaining({ name: 'FUNCTION' }))
  })

  it.each(folders)('of %s says which function runs', (name, folder) => {
    const { name: own, run } = read(`${folder}func.yaml`)
    expect(own).toBe(name)
    expect(run?.envs).toContainEqual({ name: 'FUNCTION', value: name })
  })

  it('of commit lets one instance take many events, which it pushes together', () => {
    const { scale, resources } = read('functions/commit/func.yaml').deploy.options ?? {}
    expect(scale?.max).toBe(1)
    expect(resources?.limits?.concurrency).toBeGreaterThanOrEqual(200)
  })

  it.each(all)('of %s has what `func` writes kept out of Git', (_, folder) => {
    expect(text(`${folder}.gitignore`).split('\n')).toContain('/.func')
  })
})
