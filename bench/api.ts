export const benchApi = async () => []
