import { isDict } from '../../shared/dict.ts'
import { fileName } from '../../shared/gitops/change-set.ts'
import { renderImage } from '../../shared/images/render.ts'
import { dataClaims, type Manifest } from '../../shared/kubevirt/manifest.ts'
import { render } from '../../shared/kubevirt/render.ts'
import {
  addressFile,
  applicationFile,
  claimsFile,
  definitionFile,
  imageApplicationFile,
  imageFile,
  imageManifestsFolder,
  keptFile,
  manifestsFolder,
  nameFile,
  namespaceApplicationFile,
  namespaceFolder,
  placementFile,
} from '../../shared/paths.ts'
import { check } from '../../shared/schema/check.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { GoldenImage } from '../../shared/schema/golden-image.ts'
import { KeptDisk } from '../../shared/schema/kept-disk.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { type FleetModel, type MachineModel, sizeOf } from './model.ts'

/** The fleet as its repository has it, in the words of the model, and everything in it that ought not to be there. */
export interface FleetState {
  fleet: FleetModel
  definitions: readonly Definition[]
  images: readonly GoldenImage[]
  problems: readonly string[]
}

type Files = ReadonlyMap<string, string>

/** Reads all files; those of people must be as they were. */
export function fleetIn(files: Files, before: Files): FleetState {
  const problems: string[] = []
  const definitions = readAll(files, /^vms\/.*\/values\.yaml$/, Definition, problems)
  const images = readAll(files, /^images\/.*\/image\.yaml$/, GoldenImage, problems)
  const kept = readAll(files, /^kept\//, KeptDisk, problems)
  const wanted = new Map<string, string | undefined>(before)
  for (const definition of definitions) for (const file of filesOf(definition)) wanted.set(...file)
  for (const image of images) for (const file of filesOfImage(image)) wanted.set(...file)
  for (const { cluster, namespace, disk } of kept) wanted.set(keptFile(cluster, namespace, disk), undefined)
  problems.push(...differing(files, wanted), ...claimProblems(files, definitions))
  const fleet: FleetModel = {
    machines: Object.fromEntries(definitions.map((one) => [placeOf(one), toModel(one, files)])),
    images: Object.fromEntries(images.map((image) => [image.name, toImageModel(image)])),
    names: [...files.keys()].flatMap((path) => /^names\/..\/(.+)\.yaml$/.exec(path)?.[1] ?? []).sort(),
    addresses: addressesIn(files),
    kept: Object.fromEntries(
      kept.map(({ cluster, namespace, machine, disk, size }) => [
        `${cluster}/${namespace}/${machine}/${diskIn(disk, machine)}`,
        size,
      ]),
    ),
    archived: archivedIn(files),
  }
  return { fleet, definitions, images, problems }
}

function readAll<S extends typeof Definition | typeof GoldenImage | typeof KeptDisk>(
  files: Files,
  pattern: RegExp,
  schema: S,
  problems: string[],
) {
  return [...files].flatMap(([path, text]) => {
    if (!pattern.test(path)) return []
    const checked = check(schema, parseYaml(text, path), path)
    if (checked.ok) return [checked.value]
    problems.push(...checked.problems)
    return []
  })
}

type FileOf = [path: string, text: string | undefined]

/** Every file that a machine has; those with a text must be just that. */
function filesOf(definition: Definition): FileOf[] {
  const { cluster, namespace, name } = definition
  const leases = definition.interfaces.flatMap(({ leases }) => leases)
  return [
    [definitionFile(cluster, namespace, name), toYaml(definition)],
    ...manifestsIn(manifestsFolder(cluster, namespace, name), render(definition)),
    [applicationFile(cluster, namespace, name), undefined],
    [nameFile(name), undefined],
    ...leases.map(({ network, address }): FileOf => [addressFile(network, address), undefined]),
    ...('cluster' in definition.placement ? [] : [[placementFile(name), undefined] satisfies FileOf]),
    ...(dataClaims(definition).length > 0 ? [[claimsFile(cluster, namespace, name), undefined] satisfies FileOf] : []),
  ]
}

function filesOfImage(image: GoldenImage): FileOf[] {
  const { cluster, namespace, name } = image
  return [
    [imageFile(name), toYaml(image)],
    ...manifestsIn(imageManifestsFolder(name), renderImage(image)),
    [imageApplicationFile(cluster, namespace, name), undefined],
  ]
}

const manifestsIn = (folder: string, manifests: readonly Manifest[]) =>
  manifests.map((manifest): FileOf => [`${folder}/${fileName(manifest)}`, toYaml(manifest)])

/** What no run and no undo takes away, and what is only a note. */
const lasting =
  /^(archive\/|due\/\d{4}-\d\d-\d\d\/|namespaces\/[^/]+\/[^/]+\/namespace\.yaml$|hub\/applications\/[^/]+\/[^/]+\.yaml$)/
/** A machine that has had data disks may have none by now. */
const noted = /^vms\/[^/]+\/[^/]+\/[^/]+\/claims\.yaml$/

function differing(files: Files, wanted: ReadonlyMap<string, string | undefined>): string[] {
  const lacking = [...wanted].flatMap(([path, text]) => {
    if (!files.has(path)) return [`${path} is missing`]
    return text === undefined || files.get(path) === text ? [] : [`${path} is not what it should be`]
  })
  const surplus = [...files.keys()].filter((path) => !wanted.has(path) && !lasting.test(path) && !isNoted(path, files))
  return [...lacking, ...surplus.map((path) => `${path} is there, and nobody needs it`)]
}

const isNoted = (path: string, files: Files) =>
  noted.test(path) && files.has(path.replace(/claims\.yaml$/, 'values.yaml'))

/** The claims that are recorded must be those of the machine's data disks. */
function claimProblems(files: Files, definitions: readonly Definition[]): string[] {
  return definitions.flatMap((definition) => {
    const { cluster, namespace, name } = definition
    const path = claimsFile(cluster, namespace, name)
    const text = files.get(path)
    const found = text === undefined ? {} : parseYaml(text, path)
    const recorded = isDict(found) ? Object.keys(found) : []
    const lacking = dataClaims(definition).filter((claim) => !recorded.includes(claim))
    return lacking.map((claim) => `${path} does not know the claim ${claim}`)
  })
}

const placeOf = ({ cluster, namespace, name }: Definition) => `${cluster}/${namespace}/${name}`

function toModel(definition: Definition, files: Files): MachineModel {
  const { name, owner, template, size, image, rootDisk, running, disks, snapshots = [], interfaces } = definition
  return {
    ...{ template, running, owner: `${owner.kind}:${owner.name}`, size: sizeOf(size), root: rootDisk.size },
    image: 'registry' in image ? image.registry : `${image.namespace}/${image.dataSource}`,
    disks: Object.fromEntries(disks.map((disk) => [disk.name, disk.size])),
    snapshots: snapshots
      .filter(({ purpose }) => purpose === 'asked')
      .map((one) => one.name.slice(name.length + 1))
      .sort(),
    addresses: interfaces.flatMap(({ leases }) => leases.map(({ network, address }) => `${network}/${address}`)).sort(),
    placed: files.has(placementFile(name)),
  }
}

const toImageModel = ({ namespace, cluster, current, older, keep }: GoldenImage) => ({
  namespace,
  cluster,
  // One that still had its protection stays until the next time.
  builds: [...(current ? [current] : []), ...older].map(({ run }) => run).slice(0, 1 + keep),
})

function addressesIn(files: Files): Record<string, string> {
  return Object.fromEntries(
    [...files].flatMap(([path, text]) => {
      if (!/^ipam\/[^/]+\/(?!network\.yaml$)/.test(path)) return []
      const { network, address, machine } = parseYaml(text, path) as Record<string, string>
      return [[`${network}/${address}`, String(machine)]]
    }),
  )
}

/** `<machine>-data-<disk>-<six digits>`. */
const diskIn = (claim: string, machine: string) => claim.slice(`${machine}-data-`.length, -'-123456'.length)

const archivedIn = (files: Files) =>
  [
    ...new Set([...files.keys()].flatMap((path) => /^archive\/\d{4}\/\d\d-\d\d\/([^/]+)\//.exec(path)?.[1] ?? [])),
  ].sort()

/** The namespaces that machines and images share on each cluster must have what makes them. */
export function namespaceProblems({ definitions, images }: FleetState, files: Files): string[] {
  const shared = new Set([...definitions, ...images].map(({ cluster, namespace }) => `${cluster}/${namespace}`))
  return [...shared].flatMap((place) => {
    const [cluster = '', namespace = ''] = place.split('/')
    const wanted = [
      `${namespaceFolder(cluster, namespace)}/namespace.yaml`,
      namespaceApplicationFile(cluster, namespace),
    ]
    return wanted.filter((path) => !files.has(path)).map((path) => `${path} is missing`)
  })
}
