-- Tokens by which machines are known. hash is of the token, which nobody keeps; from expires_at on it is not valid.
CREATE TABLE IF NOT EXISTS access_token (
    id         BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name       VARCHAR(255) NOT NULL,
    user       VARCHAR(255) NOT NULL,
    scopes     VARCHAR(255) NOT NULL,
    hash       VARCHAR(255) NOT NULL UNIQUE,
    created_at DATETIME(6)  NOT NULL,
    expires_at DATETIME(6)  NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
