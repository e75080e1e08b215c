import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import { nameFile } from '../../../shared/paths.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { asked, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const another = 'ffffffffffffffffffff'
const reserved = (run: string) => ({ [nameFile('web-02')]: toYaml({ name: 'web-02', namespace: 'shop', run }) })

const outcomeOf = (lifecycle: LifecycleName, said: object, files: Record<string, string> = {}, namespace = 'shop') =>
  validate(
    asked({ namespace, name: 'web-01', requester: 'ann@example.com', ...said }, { id: 'run', lifecycle }),
    memoryFleet({ ...starterFiles(), ...files }),
  )

describe('a change of a machine', () => {
  it.each<[LifecycleName, object]>([
    ['deprovision', {}],
    ['deprovision', { destroy: ['data'] }],
    ['repave', {}],
    ['repave', { image: { dataSource: 'rhel10', namespace: 'golden' } }],
    ['snapshot', {}],
    ['snapshot', { action: 'list' }],
    ['snapshot', { action: 'expire', snapshot: 'clean' }],
    ['resize', { grow: { data: '2048Mi', root: '1Ti' } }],
    ['restore', { snapshot: 'clean' }],
    ['clone', { snapshot: 'clean', as: { name: 'web-02' } }],
    ['resize', { size: { cores: 4, memory: '8Gi' } }],
    ['resize', { grow: { root: '60Gi', data: '1Ti' }, add: [{ name: 'logs', size: '10Gi' }], detach: ['old'] }],
    ['power', { action: 'restart' }],
    ['migrate', {}],
  ])('is granted: %s %j', async (lifecycle, said) => {
    expect(await outcomeOf(lifecycle, said)).toMatchObject({
      kind: 'succeeded',
      message: `The request is valid: ${lifecycle} of shop/web-01`,
    })
  })

  it.each<[LifecycleName, object, sentence: string]>([
    ['power', {}, 'action is missing'],
    ['power', { action: 'explode' }, 'action is "explode"'],
    ['migrate', { target: 'node-1' }, 'target'],
    ['resize', { grow: { root: '40Gi', data: '25000Mi' } }, 'grow.data is "25000Mi", wanted whole Gi'],
    ['snapshot', { action: 'expire' }, 'snapshot is missing, wanted the name of the snapshot that is to expire'],
    ['resize', { size: { cores: 64, memory: '8Gi' } }, 'wanted at most 32 (policy: How large a machine may be)'],
    ['resize', { size: { instancetype: 'gpu.huge' } }, '(policy: How large a machine may be)'],
    [
      'resize',
      { grow: { data: '5Ti' } },
      'grow.data is "5Ti", wanted at most "4Ti" (policy: How large a machine may be)',
    ],
    [
      'resize',
      { add: [{ name: 'logs', size: '5Ti' }] },
      'add[0].size is "5Ti", wanted at most "4Ti" (policy: How large a machine may be)',
    ],
    ['repave', { image: { dataSource: 'x', namespace: 'home' } }, '(policy: Golden images and networks'],
    ['clone', { snapshot: 'clean', as: { name: 'www' } }, '(policy: Names that DNS'],
  ])('is refused: %s %j: %s', async (lifecycle, said, sentence) => {
    const outcome = await outcomeOf(lifecycle, said)
    expect(outcome.kind).toBe('refused')
    expect(outcome.message).toContain(sentence)
  })

  it('is refused in a namespace of the platform', async () => {
    const outcome = await outcomeOf('power', { action: 'stop' }, {}, 'kube-system')
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('namespace is "kube-system"') })
  })

  it('gives a clone to whom policy lets have it', async () => {
    const owned = (kind: string, ticket = 'CHG-1') =>
      outcomeOf(
        'clone',
        { ticket, snapshot: 'clean', as: { name: 'web-02', owner: { kind, name: 'x' } } },
        {},
        'a-prod',
      )
    expect(await owned('Group')).toMatchObject({ kind: 'succeeded' })
    expect(await owned('User')).toMatchObject({ kind: 'refused', message: expect.stringContaining('owner is') })
  })

  it('is refused as a clone whose name somebody has', async () => {
    const clone = { snapshot: 'clean', as: { name: 'web-02' } }
    expect(await outcomeOf('clone', clone, reserved(another))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`as.name "web-02" is taken by a machine in namespace "shop" (run ${another})`),
    })
    // The run itself has reserved it, when its request comes again.
    expect(await outcomeOf('clone', clone, reserved('run'))).toMatchObject({ kind: 'succeeded' })
  })

  it('says everything that is wrong at once', async () => {
    const { message } = await outcomeOf(
      'clone',
      { snapshot: 'clean', as: { name: 'www' } },
      {
        [nameFile('www')]: toYaml({ name: 'www', namespace: 'shop', run: another }),
      },
    )
    expect(message).toContain('policy: Names that DNS')
    expect(message).toContain('as.name "www" is taken')
  })
})
