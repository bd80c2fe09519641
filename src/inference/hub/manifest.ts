import manifest from '../../../models/manifest.json'

/** A model that this release knows by name, and where its files are. Their hashes are the hub's to tell. */
export interface KnownModel {
  id: string
  engine: string
  /** A BCP 47 tag, or `many`. */
  languages: string
  licence: string
  /** `owner/name` on the hub. */
  repo: string
  /** A branch or a commit. */
  revision: string
  /** Paths in the repository, and under the model's own directory. */
  files: readonly string[]
  /** Taken where they exist. */
  optional: readonly string[]
  /** Forms in which the weights are stored; one is enough. */
  variants: Readonly<Record<string, readonly string[]>>
  /** The form that is taken unless another is named. */
  variant: string | null
}

/** Best first within an engine. */
export const KNOWN_MODELS: readonly KnownModel[] = manifest.models as readonly KnownModel[]

export function knownModel(id: string): KnownModel | undefined {
  return KNOWN_MODELS.find((model) => model.id === id)
}

/** The files of a model in one form. Throws an Error that names the forms there are. */
export function filesOf(
  model: KnownModel,
  variant: string | null,
): { needed: readonly string[]; optional: readonly string[] } {
  const wanted = variant ?? model.variant
  if (wanted === null) return { needed: model.files, optional: model.optional }
  const weights = Object.hasOwn(model.variants, wanted) ? model.variants[wanted] : undefined
  if (!weights) {
    const forms = Object.keys(model.variants)
    throw new Error(
      `${model.id} has no form "${wanted}"; ${forms.length === 0 ? 'it has one form only' : `it has ${forms.join(', ')}`}`,
    )
  }
  // The weights that some exports keep beside their graph belong to that graph alone.
  const optional = model.optional.filter(
    (path) => !path.endsWith('.onnx_data') || weights.includes(path.slice(0, -'_data'.length)),
  )
  return { needed: [...model.files, ...weights], optional }
}
